type Detail = Readonly<Record<string, unknown>>;
type Translation = readonly [name: string, detail: (detail: Detail) => unknown];

const same = (detail: Detail) => detail;
const nothing = () => ({});
const inRoom = ({ roomId, participantIdentity }: Detail) => ({ roomId, participantIdentity });
const participant = ({ roomId, participant: one }: Detail) => {
  const { identity, name, role } = one as Detail;
  return { roomId, participant: { participantIdentity: identity, participantName: name, role } };
};
const media = ({ on, by = "participant" }: Detail) => ({ active: on, origin: by });

/** OpenVidu Meet's events, by ours; each with the names that it has had there. */
const EVENTS: Readonly<Record<string, readonly Translation[]>> = {
  meetingJoined: [
    ["meetingJoined", inRoom],
    ["joined", inRoom],
  ],
  meetingLeft: [
    ["meetingLeft", same],
    ["left", same],
  ],
  meetingClosed: [
    ["meetingClosed", nothing],
    ["closed", nothing],
  ],
  participantJoined: [["participantJoined", participant]],
  participantLeft: [["participantLeft", participant]],
  microphoneChanged: [["mediaAudioStatusChanged", media]],
  cameraChanged: [["mediaVideoStatusChanged", media]],
  screenShareChanged: [["mediaScreenShareStatusChanged", media]],
};

/** What an event of ours is called there, and what it says there. */
export function eventsFor(name: string, detail: unknown): readonly (readonly [name: string, detail: unknown])[] {
  return (EVENTS[name] ?? []).map(([other, translate]) => [other, translate((detail ?? {}) as Detail)] as const);
}

/** OpenVidu Meet's commands and methods, those of earlier versions too, by ours. */
const METHODS: Readonly<Record<string, string>> = {
  meetingLeave: "meetingLeave",
  leaveRoom: "meetingLeave",
  meetingEnd: "meetingEnd",
  endMeeting: "meetingEnd",
  participantKick: "participantKick",
  kickParticipant: "participantKick",
  participantMute: "participantMute",
  participantMuteAll: "muteAll",
  mediaToggleAudio: "setMicrophone",
  mediaToggleVideo: "setCamera",
  mediaToggleScreenShare: "setScreenShare",
};

export const OPENVIDU_METHODS: readonly string[] = Object.keys(METHODS);

interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What a method there is here. */
export function callFor(name: string, args: readonly unknown[]): Call {
  const method = METHODS[name] ?? "";
  const [first, media] = args;
  if (method === "muteAll") return { method, args: [] };
  if (method !== "participantMute") return { method, args };
  const isCamera = (media as { readonly videoActive?: unknown } | undefined)?.videoActive === false;
  return { method, args: [first, isCamera ? "camera" : "microphone"] };
}

/** What a message's command is here; null for what is not one. `initialize`, which tells the page around, needs none. */
export function commandFor(command: string, payload: unknown): Call | null {
  if (!Object.hasOwn(METHODS, command)) return null;
  const { participantIdentity, media, active } = (payload ?? {}) as Detail;
  const args = participantIdentity === undefined ? [active] : [participantIdentity, media];
  return callFor(command, args.every((one) => one === undefined) ? [] : args);
}
