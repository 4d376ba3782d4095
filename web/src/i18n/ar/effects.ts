/** Backgrounds and noise suppression. */
export const effects = {
  open: "الخلفية والضوضاء",
  background: "الخلفية",
  backgrounds: {
    none: "بدون",
    light: "تمويه خفيف",
    strong: "تمويه قوي",
    dawn: "الفجر",
    sea: "البحر",
    forest: "الغابة",
    night: "الليل",
    own: "صورتي",
  },
  choosePicture: "اختيار صورة …",
  pictureKept: "تبقى الصورة على هذا الجهاز.",
  notAPicture: "لا يستطيع المتصفح عرض هذا الملف كصورة.",
  unsupported: "لا يستطيع هذا المتصفح تغيير الخلفية.",
  loading: "جارٍ التحميل …",
  noise: "إزالة الضوضاء",
  noiseLevels: { off: "متوقفة", browser: "عادية", strong: "قوية" },
};

export const effectNotices = {
  background_slow: "هذا الجهاز أبطأ من أن يغيّر الخلفية.",
  background_failed: "توقفت الخلفية ومعها صورتك.",
  background_refused: "لا تسمح هذه الغرفة بالخلفيات. خلفيتك متوقفة.",
  noise_failed: "إزالة الضوضاء القوية لا تعمل هنا. تُستخدم العادية.",
};

export const effectActions = {
  background_slow: "إزالة الخلفية",
  background_failed: "إزالة الخلفية",
  background_refused: "إيقاف الكاميرا",
  noise_failed: "اختيار آخر",
};
