import uPlot from "uplot";
import { timeOf } from "../../i18n/format.ts";
import { language } from "../../i18n/index.ts";
import type { Series } from "./insight.ts";
import "uplot/dist/uPlot.min.css";

const HEIGHT_PX = 180;
/** Between two times on the axis. */
const TIME_PX = 80;

const DAY_S = 86_400;

/** Gets the number of the point that the pointer is at; null where it is at none. */
type OnPoint = (point: number | null) => void;

/**
 * Draws a line that fills the width of its place; returns what takes it away. Redrawn when the theme changes.
 * @param spanS how long the time is that is shown, up to the newest point, also where less is known
 */
export function plot(place: HTMLElement, series: Series, spanS: number, onPoint: OnPoint): () => void {
  const data: uPlot.AlignedData = [[...series.times], [...series.values]];
  const tell = ({ cursor }: uPlot) => onPoint(cursor.idx ?? null);
  const draw = () => new uPlot({ ...optionsFor(place, spanS), hooks: { setCursor: [tell] } }, data, place);
  let drawn = draw();
  const sizes = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT_PX }));
  sizes.observe(place);
  const themes = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => {
    drawn.destroy();
    drawn = draw();
  };
  themes.addEventListener("change", redraw);
  return () => {
    themes.removeEventListener("change", redraw);
    sizes.disconnect();
    drawn.destroy();
  };
}

/** The colours are those of the style sheet at this moment: a canvas knows no custom properties. */
function optionsFor(place: HTMLElement, spanS: number): uPlot.Options {
  const style = getComputedStyle(place);
  const shown = spanS > DAY_S ? dayOfS : timeOfS;
  const axis: uPlot.Axis = {
    stroke: style.getPropertyValue("--plot-text"),
    grid: { stroke: style.getPropertyValue("--plot-grid"), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false },
    scales: {
      x: { range: (_plot, _first, last) => [last - spanS, last] },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] },
    },
    axes: [
      { ...axis, space: TIME_PX, size: 34, values: (_plot, times) => times.map(shown) },
      { ...axis, size: 44 },
    ],
    series: [
      {},
      {
        stroke: style.getPropertyValue("--plot-line"),
        fill: style.getPropertyValue("--plot-fill"),
        width: 2,
        points: { show: false },
      },
    ],
  };
}

function timeOfS(timeS: number): string {
  return timeOf(new Date(timeS * 1000));
}

function dayOfS(timeS: number): string {
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }).format(timeS * 1000);
}
