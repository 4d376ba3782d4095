import { useRef } from "preact/hooks";
import { useFocusKept } from "../components/focus.ts";
import { text } from "../i18n/index.ts";
import type { LobbyGuests } from "../session/lobby_guests.ts";

/** Who waits in the lobby, and what a moderator decides. */
export function GuestList({ guests }: { readonly guests: LobbyGuests }) {
  const { people } = text;
  const list = useRef<HTMLElement>(null);
  useFocusKept(list);
  const waiting = guests.waiting.value;
  if (waiting.length === 0) return null;
  return (
    <section ref={list} class="guests" aria-label={people.guests} tabIndex={-1}>
      <div class="panel-head">
        <h3>{people.guests}</h3>
        <button type="button" class="action" onClick={() => void guests.admitAll()}>
          {people.admitAll}
        </button>
      </div>
      <ul>
        {waiting.map(({ participantName: name }) => (
          <li key={name}>
            <bdi class="person">{name}</bdi>
            <button
              type="button"
              class="action"
              aria-label={people.refuseOf(name)}
              onClick={() => void guests.refuse(name)}
            >
              {people.refuse}
            </button>
            <button
              type="button"
              class="action primary"
              aria-label={people.admitOf(name)}
              onClick={() => void guests.admit(name)}
            >
              {people.admit}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
