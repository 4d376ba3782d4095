import { signal } from "@preact/signals-core";
import { type Refusal, refusalFrom } from "../api/refusal.ts";
import type { ConsoleServer } from "../api/server.ts";
import type { InsightPeriod, Insight as Points } from "../api/types.ts";

export const CHARTS = ["participants", "rooms", "recordings", "bandwidth"] as const;
export type Chart = (typeof CHARTS)[number];

/** One line of a chart: seconds since the epoch, and values; null where the server was away. */
export interface Series {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

export class Insight {
  readonly period = signal<InsightPeriod>("24h");
  readonly points = signal<Points | null>(null);
  readonly refusal = signal<Refusal | null>(null);
  readonly #server: ConsoleServer;

  constructor(server: ConsoleServer) {
    this.#server = server;
  }

  async show(period: InsightPeriod): Promise<void> {
    this.period.value = period;
    try {
      const points = await this.#server.insight(period);
      if (this.period.value !== period) return;
      this.points.value = points;
      this.refusal.value = null;
    } catch (error) {
      this.refusal.value = refusalFrom(error);
    }
  }
}

/** The line of a chart, with a gap where points are missing; null where nothing is known of it. */
export function seriesOf({ points, stepS }: Points, chart: Chart): Series | null {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const point of points) {
    const timeS = point.at / 1000;
    const last = times.at(-1);
    if (last !== undefined && timeS - last > stepS * 1.5) {
      times.push(last + stepS);
      values.push(null);
    }
    times.push(timeS);
    values.push(pointValue(point, chart));
  }
  return values.some((value) => value !== null) ? { times, values } : null;
}

function pointValue(point: Points["points"][number], chart: Chart): number | null {
  if (chart !== "bandwidth") return point[chart];
  const { receivedBps, sentBps } = point;
  if (receivedBps === undefined && sentBps === undefined) return null;
  return ((receivedBps ?? 0) + (sentBps ?? 0)) / 1_000_000;
}
