import { useEffect, useRef, useState } from "preact/hooks";
import { whenOf } from "../../i18n/format.ts";
import type { InsightPeriod } from "../api/types.ts";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { CHARTS, type Chart as ChartName, Insight, type Series, seriesOf } from "../session/insight.ts";
import { Empty, Loading, RefusalMessage } from "./parts.tsx";

const TABLE_ROWS = 48;
const SPANS_S: Readonly<Record<InsightPeriod, number>> = { "24h": 86_400, "30d": 30 * 86_400 };

/** How much is going on, over a day or a month. */
export function InsightView({ console }: { readonly console: Console }) {
  const [insight] = useState(() => new Insight(console.server));
  useEffect(() => void insight.show("24h"), [insight]);
  const points = insight.points.value;
  const charts = points ? CHARTS.flatMap((name) => toChart(name, seriesOf(points, name))) : [];
  return (
    <>
      <header class="screen-head">
        <h1>{text.insight.title}</h1>
        <fieldset class="segments">
          <legend class="visually-hidden">{text.insight.period}</legend>
          {Object.entries(text.insight.periods).map(([period, label]) => (
            <label key={period}>
              <input
                type="radio"
                name="period"
                checked={insight.period.value === period}
                onChange={() => void insight.show(period as InsightPeriod)}
              />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
      </header>
      <RefusalMessage refusal={insight.refusal.value} />
      {!points && !insight.refusal.value && <Loading />}
      {points && charts.length === 0 && <Empty title={text.insight.none} />}
      <div class="charts">
        {charts.map(({ name, series }) => (
          <ChartPanel key={name} name={name} series={series} spanS={SPANS_S[insight.period.value]} />
        ))}
      </div>
    </>
  );
}

function toChart(name: ChartName, series: Series | null) {
  return series ? [{ name, series }] : [];
}

interface ChartPanelProps {
  readonly name: ChartName;
  readonly series: Series;
  /** How long the time is that is shown. */
  readonly spanS: number;
}

function ChartPanel({ name, series, spanS }: ChartPanelProps) {
  const words = text.insight;
  const known = series.values.filter((value) => value !== null);
  const title = words.charts[name] ?? name;
  const [pointed, setPointed] = useState<number | null>(null);
  const at = pointed === null ? undefined : series.times[pointed];
  return (
    <section class="panel chart-panel" aria-label={title}>
      <div class="panel-title">
        <h2>{title}</h2>
        <p class="hint">
          {at === undefined ? (
            <>
              <span>{words.now(numberOf(known.at(-1) ?? 0, 1))}</span> ·{" "}
              <span>{words.most(numberOf(Math.max(...known), 1))}</span>
            </>
          ) : (
            words.at(whenOf(new Date(at * 1000)), shown(series.values[pointed ?? 0]))
          )}
        </p>
      </div>
      <Plot title={title} series={series} spanS={spanS} onPoint={setPointed} />
      <details>
        <summary>{words.table}</summary>
        <SeriesTable title={title} series={series} />
      </details>
    </section>
  );
}

/** A value of a series; a gap, where the server was away, has none. */
function shown(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : numberOf(value, 1);
}

interface PlotProps {
  readonly title: string;
  readonly series: Series;
  readonly spanS: number;
  /** Gets the number of the point under the pointer. */
  readonly onPoint: (point: number | null) => void;
}

/** The drawing, whose library is loaded with the first one. */
function Plot({ title, series, spanS, onPoint }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let end = () => {};
    let current = true;
    void import("../session/plot.ts").then(({ plot }) => {
      if (current) end = plot(element, series, spanS, onPoint);
    });
    return () => {
      current = false;
      end();
    };
  }, [series, spanS, onPoint]);
  return <div ref={place} class="plot" role="img" aria-label={title} />;
}

/** The same for those who cannot see it. */
function SeriesTable({ title, series }: { readonly title: string; readonly series: Series }) {
  const every = Math.max(1, Math.ceil(series.times.length / TABLE_ROWS));
  const rows = series.times.flatMap((time, at) =>
    at % every === 0 ? [[time, series.values[at] ?? null] as const] : [],
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <section class="table-scroll" tabIndex={0} aria-label={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">{text.insight.time}</th>
            <th scope="col">{title}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([time, value]) => (
            <tr key={time}>
              <td>{whenOf(new Date(time * 1000))}</td>
              <td>{shown(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
