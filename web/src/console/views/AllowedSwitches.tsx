import { text } from "../i18n/index.ts";
import type { Allowed } from "../session/allowed.ts";
import { Switch } from "./parts.tsx";

const words = text.preferences;

const SWITCHES: readonly (readonly [keyof Allowed, label: string, hint: string])[] = [
  ["chat", words.chat, words.chatHint],
  ["chatHistory", words.chatHistory, words.chatHistoryHint],
  ["chatFiles", words.chatFiles, words.chatFilesHint],
  ["recording", words.recording, words.recordingHint],
  ["backgrounds", words.backgrounds, words.backgroundsHint],
  ["lobby", words.lobby, words.lobbyHint],
];

/** Those that mean something only with the chat. */
const OF_CHAT: ReadonlySet<keyof Allowed> = new Set(["chatHistory", "chatFiles"]);

interface AllowedSwitchesProps {
  readonly allowed: Allowed;
  readonly onChange: (change: Partial<Allowed>) => void;
}

/** A switch for everything that a room can allow. */
export function AllowedSwitches({ allowed, onChange }: AllowedSwitchesProps) {
  return (
    <>
      {SWITCHES.map(([name, label, hint]) => (
        <Switch
          key={name}
          label={label}
          hint={hint}
          on={allowed[name]}
          disabled={OF_CHAT.has(name) && !allowed.chat}
          onChange={(on) => onChange({ [name]: on })}
        />
      ))}
    </>
  );
}
