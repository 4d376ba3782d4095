import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Dialog } from "../components/Dialog.tsx";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { Measurements, type TrackNumbers } from "../session/connection_numbers.ts";
import { SAVE_DATA } from "../session/layout.ts";
import type { Network } from "../session/network.ts";

const MEASURED_EVERY_MS = 2000;

/** The user's own connection in words and numbers, and what of it may be used. */
export function ConnectionDialog({ network }: { readonly network: Network }) {
  const { connection } = text.views;
  return (
    <Dialog
      title={connection.title}
      wide
      onClose={() => {
        network.open.value = false;
      }}
    >
      <p>
        {connection.own[network.own.value]} {network.paused.value.size > 0 && connection.paused}
      </p>
      <fieldset class="save-data">
        <legend>{connection.save}</legend>
        {SAVE_DATA.map((choice) => (
          <label key={choice} class="checkbox">
            <input
              type="radio"
              name="save-data"
              checked={network.saveData.value === choice}
              onChange={() => {
                network.saveData.value = choice;
              }}
            />
            {connection.saveData[choice]}
          </label>
        ))}
      </fieldset>
      <details>
        <summary>{connection.numbers}</summary>
        <Numbers network={network} />
      </details>
    </Dialog>
  );
}

/** What is measured of each track, while it is looked at. */
function Numbers({ network }: { readonly network: Network }) {
  const rows = useSignal<readonly TrackNumbers[]>([]);
  useEffect(() => {
    const measurements = new Measurements(network.room);
    const measure = async () => {
      rows.value = await measurements.take();
    };
    void measure();
    const timer = setInterval(() => void measure(), MEASURED_EVERY_MS);
    return () => clearInterval(timer);
  }, [network, rows]);
  const { columns } = text.views.connection;
  return (
    // it scrolls, so that it has to be reached by the keyboard
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section class="numbers" tabIndex={0} aria-label={text.views.connection.numbers}>
      <table>
        <thead>
          <tr>
            {Object.entries(columns).map(([key, title]) => (
              <th key={key} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.value.map((row) => (
            <Row key={row.key} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ row }: { readonly row: TrackNumbers }) {
  const { sources } = text.views.connection;
  return (
    <tr>
      <th scope="row">
        <span aria-hidden="true">{row.isSent ? "↑ " : "↓ "}</span>
        <bdi>{row.name}</bdi>, {sources[row.source]}
      </th>
      <td>{numberOf(row.kbps)}</td>
      <td>{row.loss === null ? "–" : `${numberOf(row.loss * 100, 1)} %`}</td>
      <td>{row.roundTripMs === null ? "–" : `${numberOf(row.roundTripMs)} ms`}</td>
      <td>{row.size ? `${row.size.width} × ${row.size.height}` : "–"}</td>
      <td>{numberOf(row.fps)}</td>
      <td>{row.codec ?? "–"}</td>
      <td>{row.path ?? "–"}</td>
    </tr>
  );
}
