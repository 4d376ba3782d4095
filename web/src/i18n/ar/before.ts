/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `الانضمام باسم «${name}»`,
  speaker: "مكبر الصوت",
  testSound: "اختبار الصوت",
  playing: "يجري التشغيل …",
  flip: "تبديل الكاميرا",
  hearsMuted: "نبّهني عندما أتحدث وصوتي مكتوم (هذا الجهاز وحده يستمع)",
  space: "مفتاح المسافة",
};
