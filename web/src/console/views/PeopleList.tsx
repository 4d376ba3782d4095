import { useRef, useState } from "preact/hooks";
import { useFocusKept } from "../../components/focus.ts";
import { timeOf } from "../../i18n/format.ts";
import type { Participant, Role } from "../api/types.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { devicesOf } from "../session/devices_of.ts";
import type { LiveRoom } from "../session/live_room.ts";
import { qualityOf } from "../session/quality.ts";
import { Confirm } from "./Confirm.tsx";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { IconButton } from "./parts.tsx";

interface PeopleListProps {
  readonly console: Console;
  readonly live: LiveRoom;
}

/** Who is in the room now, and what can be done about each. */
export function PeopleList({ console, live }: PeopleListProps) {
  const [removing, setRemoving] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  useFocusKept(list);
  const people = live.participants.value;
  async function remove(name: string): Promise<void> {
    if (!(await live.remove(name))) return;
    console.notices.show(text.people.removed(name));
    setRemoving(null);
  }
  if (!live.participantsKnown.value) return <p class="hint">{text.liveRoom.peopleUnknown}</p>;
  return (
    <>
      {people.length === 0 && <p class="hint">{text.liveRoom.nobody}</p>}
      <ul class="people" ref={list} tabIndex={-1} aria-label={text.liveRoom.people}>
        {people.map((person) => (
          <Person
            key={person.participantName}
            person={person}
            live={live}
            onRemove={() => setRemoving(person.participantName ?? null)}
          />
        ))}
      </ul>
      {removing !== null && (
        <Confirm
          title={text.people.removeTitle(removing)}
          words={text.people.removeWords}
          action={text.people.remove}
          doing={live.action}
          onConfirm={() => void remove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

interface PersonProps {
  readonly person: Participant;
  readonly live: LiveRoom;
  readonly onRemove: () => void;
}

function Person({ person, live, onRemove }: PersonProps) {
  const words = text.people;
  const name = person.participantName ?? "";
  const devices = devicesOf(person);
  return (
    <li class="person-row" data-participant={name}>
      <div class="person-name">
        <strong>{name}</strong>
        <Devices person={person} />
        <Connection live={live} name={name} />
      </div>
      <select
        aria-label={words.role(name)}
        value={person.role}
        onChange={(event) => void live.changeRole(name, event.currentTarget.value as Role)}
      >
        {Object.entries(text.liveRoom.roles).map(([role, label]) => (
          <option key={role} value={role}>
            {label}
          </option>
        ))}
      </select>
      <div class="row-actions">
        <IconButton
          icon="microphoneOff"
          label={words.muteOne(name)}
          disabled={devices.microphone !== "on"}
          onClick={() => void live.mute(name)}
        />
        <IconButton
          icon="cameraOff"
          label={words.stopCameraOf(name)}
          disabled={devices.camera !== "on"}
          onClick={() => void live.stopCamera(name)}
        />
        <IconButton icon="remove" kind="danger" label={words.removeOne(name)} onClick={onRemove} />
      </div>
    </li>
  );
}

/** What a participant sends, in icons with words for screen readers. */
function Devices({ person }: { readonly person: Participant }) {
  const words = text.people;
  const { microphone, camera, screen, picture } = devicesOf(person);
  const sound = { none: words.noMic, muted: words.micOff, on: words.micOn }[microphone];
  return (
    <p class="row-facts">
      {person.joinedAt !== undefined && <span>{words.joined(timeOf(new Date(person.joinedAt)))}</span>}
      <span class={microphone === "on" ? "device on" : "device"} title={sound}>
        <ConsoleIcon name={microphone === "on" ? "microphone" : "microphoneOff"} />
        <span class="visually-hidden">{sound}</span>
      </span>
      <span class={camera === "on" ? "device on" : "device"} title={camera === "on" ? words.cameraOn : words.cameraOff}>
        <ConsoleIcon name={camera === "on" ? "camera" : "cameraOff"} />
        <span class="visually-hidden">{camera === "on" ? words.cameraOn : words.cameraOff}</span>
        {picture}
      </span>
      {screen && (
        <span class="device on" title={words.screenOn}>
          <ConsoleIcon name="screen" />
          <span class="visually-hidden">{words.screenOn}</span>
        </span>
      )}
      {person.handRaisedAt !== undefined && (
        <span class="device on" title={words.hand}>
          <ConsoleIcon name="hand" />
          <span class="visually-hidden">{words.hand}</span>
        </span>
      )}
    </p>
  );
}

/** How good a participant's connection is, in short, with the figures to open. */
function Connection({ live, name }: { readonly live: LiveRoom; readonly name: string }) {
  const known = live.quality.value.get(name);
  if (!known) return null;
  const { isPoor, facts } = qualityOf(known);
  if (facts.length === 0) return null;
  const words = text.quality;
  return (
    <details class={isPoor ? "connection poor" : "connection"}>
      <summary>{isPoor ? words.poor : words.good}</summary>
      <ul aria-label={words.title}>
        {facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
    </details>
  );
}
