import { useEffect, useState } from "preact/hooks";
import type { Room } from "../api/types.ts";
import { dayOf, numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { allowedOf } from "../session/allowed.ts";
import type { Console } from "../session/console.ts";
import type { LiveRoom } from "../session/live_room.ts";
import { hrefOf } from "../session/router.ts";
import { AllowedSwitches } from "./AllowedSwitches.tsx";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { EmbedCode } from "./EmbedCode.tsx";
import { Links } from "./Links.tsx";
import { PeopleList } from "./PeopleList.tsx";
import { Loading, RefusalMessage, Switch } from "./parts.tsx";
import { type RoomDialog, RoomDialogs } from "./RoomDialogs.tsx";
import { RoomRecordings } from "./RoomRecordings.tsx";
import { RoomStates } from "./RoomsView.tsx";

export interface RoomViewProps {
  readonly console: Console;
  readonly name: string;
}

/** One room, as it is right now. */
export function RoomView({ console, name }: RoomViewProps) {
  useEffect(() => {
    console.showRoom(name);
    return () => console.showRoom(null);
  }, [console, name]);
  const live = console.liveRoom.value;
  if (live?.name !== name) return <Loading />;
  const room = live.room.value;
  return (
    <>
      <p>
        <a class="back" href={hrefOf("rooms")}>
          <ConsoleIcon name="back" />
          {text.liveRoom.back}
        </a>
      </p>
      {live.gone.value && (
        <p class="message" role="alert">
          {text.liveRoom.gone}
        </p>
      )}
      <RefusalMessage refusal={live.refusal.value}>
        <button type="button" onClick={() => void live.refresh()}>
          {text.retry}
        </button>
      </RefusalMessage>
      {!room && !live.refusal.value && <Loading />}
      {room && !live.gone.value && <Shown console={console} live={live} room={room} />}
    </>
  );
}

interface ShownProps {
  readonly console: Console;
  readonly live: LiveRoom;
  readonly room: Room;
}

function Shown({ console, live, room }: ShownProps) {
  const [dialog, setDialog] = useState<RoomDialog>(null);
  const count = live.participants.value.length;
  const running = live.running.value;
  return (
    <>
      <header class="screen-head">
        <div class="room-title">
          <h1>{room.roomName}</h1>
          <RoomStates
            room={{ ...room, participants: count, ...(running?.recordingId && { recordingId: running.recordingId }) }}
          />
        </div>
        <a class="button primary" href={room.moderatorURL} target="_blank" rel="noopener">
          <ConsoleIcon name="open" />
          {text.liveRoom.join}
        </a>
      </header>
      <MeetingTools live={live} onDialog={setDialog} />
      {!dialog && <RefusalMessage refusal={live.action.refusal.value ?? live.recordingAction.refusal.value} />}
      <div class="room-columns">
        <div class="column">
          <section class="panel" aria-labelledby="in-it-now">
            <h2 id="in-it-now">{text.liveRoom.people}</h2>
            <PeopleList console={console} live={live} />
          </section>
          <section class="panel" aria-labelledby="its-links">
            <div class="panel-title">
              <h2 id="its-links">{text.liveRoom.links}</h2>
              <button type="button" class="small" onClick={() => setDialog("rotate")}>
                <ConsoleIcon name="rotate" />
                {text.liveRoom.rotate}
              </button>
            </div>
            <p class="hint">{text.liveRoom.linksHint}</p>
            <Links console={console} room={room} />
            {room.publisherURL && <EmbedCode console={console} url={room.publisherURL} />}
          </section>
        </div>
        <div class="column side">
          <Allowed live={live} room={room} />
          <Details room={room} />
          <RoomRecordings live={live} />
        </div>
      </div>
      <RoomDialogs console={console} live={live} dialog={dialog} onClose={() => setDialog(null)} />
    </>
  );
}

/** What can be done with the meeting that runs, and with the room. */
function MeetingTools({ live, onDialog }: { live: LiveRoom; onDialog: (dialog: RoomDialog) => void }) {
  const nobody = live.participants.value.length === 0;
  const { running } = live.recordingAction;
  const isRecording = live.running.value !== null;
  return (
    <div class="toolbar">
      <button
        type="button"
        disabled={running.value || (nobody && !isRecording)}
        onClick={() => void (isRecording ? live.stopRecording() : live.startRecording())}
      >
        <ConsoleIcon name={isRecording ? "stop" : "record"} />
        {isRecording ? text.liveRoom.stopRecording : text.liveRoom.record}
      </button>
      <button type="button" disabled={nobody} onClick={() => onDialog("message")}>
        <ConsoleIcon name="chat" />
        {text.liveRoom.message}
      </button>
      <button type="button" disabled={nobody} onClick={() => onDialog("end")}>
        <ConsoleIcon name="leave" />
        {text.liveRoom.end}
      </button>
      <button type="button" class="danger-quiet" onClick={() => onDialog("delete")}>
        <ConsoleIcon name="delete" />
        {text.liveRoom.delete}
      </button>
    </div>
  );
}

/** What the room allows; each change counts at once. */
function Allowed({ live, room }: { readonly live: LiveRoom; readonly room: Room }) {
  const words = text.preferences;
  return (
    <section class="panel" aria-labelledby="what-it-allows">
      <h2 id="what-it-allows">{text.liveRoom.allowed}</h2>
      <p class="hint">{text.liveRoom.allowedHint}</p>
      <div class="switches">
        <AllowedSwitches allowed={allowedOf(room.preferences)} onChange={(change) => void live.allow(change)} />
        <Switch
          label={words.locked}
          hint={words.lockedHint}
          on={room.locked ?? false}
          onChange={(locked) => void live.lock(locked)}
        />
      </div>
    </section>
  );
}

function Details({ room }: { readonly room: Room }) {
  const words = text.liveRoom;
  return (
    <section class="panel" aria-labelledby="details">
      <h2 id="details">{words.details}</h2>
      <dl class="facts">
        {room.roomNamePrefix && <Fact name={words.prefix} value={room.roomNamePrefix} />}
        {room.creationDate !== undefined && <Fact name={words.created} value={dayOf(room.creationDate)} />}
        {room.expirationDate !== undefined && <Fact name={words.expires} value={dayOf(room.expirationDate)} />}
        <Fact
          name={words.most}
          value={room.maxParticipants === undefined ? words.noLimit : numberOf(room.maxParticipants)}
        />
      </dl>
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
