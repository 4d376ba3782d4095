/** The ways to look at a meeting, and its connection. */
export const views = {
  moveSelf: "تحريك صورتي",
  stop: "إيقاف",
  pip: "صورة داخل صورة",
  back: "رجوع",
  connection: {
    title: "الاتصال",
    own: { good: "اتصالك جيد.", weak: "اتصالك ضعيف.", lost: "انقطع اتصالك." },
    tile: { weak: "اتصال ضعيف", lost: "انقطع الاتصال" },
    paused: "أُوقفت الصور مؤقتًا ليستمر الصوت.",
    pausedTile: "موقوفة مؤقتًا ليستمر الصوت",
    save: "توفير البيانات",
    saving: "توفير البيانات",
    saveData: { all: "كل الصور", pinned: "الصور المثبتة فقط", sound: "الصوت فقط" },
    numbers: "أرقام",
    columns: {
      track: "المسار",
      kbps: "كيلوبت/ث",
      loss: "الفقد",
      roundTrip: "زمن الرحلة",
      size: "الحجم",
      fps: "صور/ث",
      codec: "الترميز",
      path: "الطريق",
    },
    sources: {
      microphone: "ميكروفون",
      camera: "كاميرا",
      screen_share: "شاشة",
      screen_share_audio: "صوت الشاشة",
    },
  },
};
