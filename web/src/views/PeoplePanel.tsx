import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Role } from "../api/claims.ts";
import { Dialog } from "../components/Dialog.tsx";
import { useFocusKept, useReturnFocus } from "../components/focus.ts";
import { Icon, type IconName } from "../components/Icon.tsx";
import { countOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Meeting } from "../session/meeting.ts";
import { actionsFor } from "../session/people.ts";
import type { Person } from "../session/roster.ts";
import { GuestList } from "./GuestList.tsx";

const ROLES: readonly Role[] = ["moderator", "publisher", "viewer"];

interface MeetingProps {
  readonly meeting: Meeting;
}

/** All participants, and what a moderator can do about them. */
export function PeoplePanel({ meeting }: MeetingProps) {
  const panel = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useReturnFocus(panel, '[data-control="people"]');
  useLayoutEffect(() => heading.current?.focus(), []);
  const close = () => meeting.people.show(false);
  return (
    <aside
      ref={panel}
      class="people-panel"
      aria-label={text.people.title}
      onKeyDown={(event) => event.key === "Escape" && !isInDialog(event.target) && close()}
    >
      <header class="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          {text.people.title}
        </h2>
        <button type="button" class="quiet" aria-label={text.controls.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {meeting.role.value === "moderator" && <RoomActions meeting={meeting} />}
      <GuestList guests={meeting.guests} />
      <PeopleList meeting={meeting} />
    </aside>
  );
}

/** What a moderator does about all at once. */
function RoomActions({ meeting }: MeetingProps) {
  const { moderation, settings, roster } = meeting;
  const isEnding = useSignal(false);
  const isLocked = settings.current.value?.locked === true;
  const actions = useRef<HTMLDivElement>(null);
  useFocusKept(actions);
  const hasHands = roster.value.people.some(({ hand }) => hand > 0);
  return (
    <div ref={actions} class="room-actions" tabIndex={-1}>
      <Action label={text.people.muteAll} onClick={() => void moderation.muteAll()} />
      {hasHands && <Action label={text.people.lowerAllHands} onClick={() => void moderation.lowerAllHands()} />}
      <Action
        label={isLocked ? text.people.unlock : text.people.lock}
        onClick={() => void moderation.setLocked(!isLocked)}
      />
      <Action
        label={text.people.endForAll}
        onClick={() => {
          isEnding.value = true;
        }}
      />
      {isEnding.value && (
        <EndDialog
          onEnd={() => void moderation.end()}
          onClose={() => {
            isEnding.value = false;
          }}
        />
      )}
    </div>
  );
}

function EndDialog({ onEnd, onClose }: { readonly onEnd: () => void; readonly onClose: () => void }) {
  return (
    <Dialog title={text.people.endTitle} onClose={onClose}>
      <p>{text.people.endWarning}</p>
      <div class="dialog-actions">
        <button type="button" onClick={onClose}>
          {text.people.cancel}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            onClose();
            onEnd();
          }}
        >
          {text.people.endForAll}
        </button>
      </div>
    </Dialog>
  );
}

function PeopleList({ meeting }: MeetingProps) {
  const { people } = meeting;
  const list = useRef<HTMLUListElement>(null);
  useFocusKept(list);
  return (
    <>
      {people.hasSearch.value && (
        <input
          type="search"
          value={people.search.value}
          aria-label={text.people.search}
          placeholder={text.people.search}
          autocomplete="off"
          onInput={(event) => {
            people.search.value = event.currentTarget.value;
          }}
        />
      )}
      {people.shown.value.length === 0 && <p class="hint">{text.people.none}</p>}
      <ul ref={list} class="people-list" tabIndex={-1} aria-label={text.people.title}>
        {people.shown.value.map((person) => (
          <PersonItem key={person.identity} person={person} meeting={meeting} />
        ))}
      </ul>
    </>
  );
}

interface PersonProps extends MeetingProps {
  readonly person: Person;
}

function PersonItem({ person, meeting }: PersonProps) {
  const { identity, name, isLocal, role } = person;
  const { people } = meeting;
  const actions = actionsFor(person, meeting.role.value);
  const isOpen = people.selected.value === identity && actions.length > 0;
  return (
    <li data-identity={identity}>
      <p class="person">
        <bdi>{isLocal ? text.meeting.you(name) : name}</bdi>
        {role && <span class="person-role">{text.people.roles[role]}</span>}
      </p>
      <PersonStates person={person} />
      {actions.length > 0 && (
        <button
          type="button"
          class="quiet"
          aria-label={text.people.actionsOf(name)}
          title={text.people.actionsOf(name)}
          aria-expanded={isOpen}
          onClick={() => people.select(identity)}
        >
          <Icon name="more" />
        </button>
      )}
      {isOpen && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset belongs to a form
        <div class="person-actions" role="group" aria-label={text.people.actionsOf(name)}>
          {actions.map((action) => (
            <Action
              key={action}
              label={text.people.actions[action]}
              onClick={() => void meeting.moderation.act(action, identity)}
            />
          ))}
          <RoleSelect person={person} meeting={meeting} />
        </div>
      )}
    </li>
  );
}

/** Hand, microphone, camera and network, as pictures with words. */
function PersonStates({ person: { hand, microphone, camera, quality } }: Pick<PersonProps, "person">) {
  const { people } = text;
  return (
    <p class="person-states">
      {hand > 0 && <State icon="hand" label={people.hand(countOf(hand))} shown={countOf(hand)} />}
      <State icon={microphone ? "microphone" : "microphoneOff"} label={people.microphone[microphone ? "on" : "off"]} />
      <State icon={camera ? "camera" : "cameraOff"} label={people.camera[camera ? "on" : "off"]} />
      {quality && <State icon={`network_${quality}`} label={people.quality[quality]} />}
    </p>
  );
}

interface StateProps {
  readonly icon: IconName;
  readonly label: string;
  readonly shown?: string;
}

function State({ icon, label, shown }: StateProps) {
  return (
    <span title={label} data-state={icon}>
      <Icon name={icon} />
      {shown && <span aria-hidden="true">{shown}</span>}
      <span class="visually-hidden">{label}. </span>
    </span>
  );
}

function RoleSelect({ person, meeting }: PersonProps) {
  return (
    <select
      aria-label={text.people.roleOf(person.name)}
      value={person.role ?? ""}
      onChange={(event) => void meeting.moderation.setRole(person.identity, event.currentTarget.value as Role)}
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {text.people.roles[role]}
        </option>
      ))}
    </select>
  );
}

/** Escape in a dialog closes that alone. */
function isInDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("dialog") !== null;
}

function Action({ label, onClick }: { readonly label: string; readonly onClick: () => void }) {
  return (
    <button type="button" class="action" onClick={onClick}>
      {label}
    </button>
  );
}
