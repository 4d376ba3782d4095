import uPlot from "uplot";
import type { Series } from "./insight.ts";
import "uplot/dist/uPlot.min.css";

const HEIGHT_PX = 180;

/** Draws a line that fills the width of its place; returns what takes it away. Redrawn when the theme changes. */
export function plot(place: HTMLElement, series: Series): () => void {
  const data: uPlot.AlignedData = [[...series.times], [...series.values]];
  let drawn = new uPlot(optionsFor(place), data, place);
  const sizes = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT_PX }));
  sizes.observe(place);
  const themes = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => {
    drawn.destroy();
    drawn = new uPlot(optionsFor(place), data, place);
  };
  themes.addEventListener("change", redraw);
  return () => {
    themes.removeEventListener("change", redraw);
    sizes.disconnect();
    drawn.destroy();
  };
}

/** The colours are those of the style sheet at this moment: a canvas knows no custom properties. */
function optionsFor(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
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
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [axis, { ...axis, size: 44 }],
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
