import type { Catalogue } from "../en/index.ts";

export const chat: Catalogue["chat"] = {
  title: "الدردشة",
  empty: "لا رسائل بعد. يراها أيضًا من يأتي لاحقًا، حتى نهاية الاجتماع.",
  emptyNotKept: "لا رسائل بعد. لا يراها إلا من هو هنا الآن.",
  messages: "الرسائل",
  newer: "رسائل أحدث",
  input: "رسالة إلى الجميع",
  send: "إرسال",
  you: "أنت",
  failed: "لم تُرسل.",
  sendAgain: "إرسالها مجددًا",
  tooLong: (more) => `أطول من الحد بعدد أحرف: ${more}`,
  showAll: "عرض الكل",
  copy: "نسخ",
  copied: "تم النسخ",
  attach: "إرسال ملف",
  fileTooLarge: (limit) => `الحد الأقصى لحجم الملف ${limit}`,
  download: (name) => `تنزيل ${name}`,
  cancel: "إلغاء",
  gone: "لم يعد محفوظًا هنا",
  progressOf: (name) => `جارٍ إرسال ${name}`,
};
