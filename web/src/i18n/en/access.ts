/** What is read out only for those who want it. */
export const access = {
  readSignals: "Read out raised hands and reactions",
  reactions: (count: number) => `${count} reactions`,
} as const;
