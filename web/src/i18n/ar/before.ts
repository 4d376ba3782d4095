/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `الانضمام باسم «${name}»`,
  speaker: "مكبر الصوت",
  chooseSpeaker: "اختيار مكبر الصوت",
  speakersHidden: "يطلب المتصفح إذن الميكروفون قبل أن يعرض مكبرات الصوت. لا يُسجَّل شيء ولا يُرسَل.",
  testSound: "اختبار الصوت",
  playing: "يجري التشغيل …",
  flip: "تبديل الكاميرا",
  hearsMuted: "نبّهني عندما أتحدث وصوتي مكتوم (هذا الجهاز وحده يستمع)",
  space: "مفتاح المسافة",
};
