import type { ConnectionQuality } from "../api/types.ts";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";

const POOR_LOSS = 0.05;
const POOR_RTT_MS = 400;
const POOR_JITTER_MS = 60;
const MBIT = 1_000_000;

export interface QualityShown {
  readonly isPoor: boolean;
  readonly facts: readonly string[];
}

/** A participant's connection in words: what is known of it, and whether it is poor. */
export function qualityOf(quality: ConnectionQuality): QualityShown {
  const words = text.quality;
  const { joinMs, family, protocol, address, rttMs, estimateBps } = quality;
  const facts = [
    protocol && family && words.path(protocol.toUpperCase(), family, address ?? ""),
    rttMs !== undefined && words.roundTrip(numberOf(rttMs)),
    both(words.loss, percentOf(quality.lossUp), percentOf(quality.lossDown)),
    both(words.jitter, millisecondsOf(quality.jitterUpMs), millisecondsOf(quality.jitterDownMs)),
    estimateBps !== undefined && words.estimate(numberOf(estimateBps / MBIT, 1)),
    picturesOf(quality),
    joinMs !== undefined && words.joined(numberOf(joinMs / 1000, 1)),
  ];
  return { isPoor: isPoor(quality), facts: facts.filter((fact): fact is string => Boolean(fact)) };
}

function isPoor({ rttMs = 0, lossUp = 0, lossDown = 0, jitterUpMs = 0, jitterDownMs = 0 }: ConnectionQuality): boolean {
  const loss = Math.max(lossUp, lossDown);
  return loss > POOR_LOSS || rttMs > POOR_RTT_MS || Math.max(jitterUpMs, jitterDownMs) > POOR_JITTER_MS;
}

/** How many of the wanted pictures come as good as they are there. */
function picturesOf({ receivedVideos }: ConnectionQuality): string {
  const missing = receivedVideos.filter(({ layer, best }) => best !== undefined && layer === undefined).length;
  const best = receivedVideos.filter(({ layer, best }) => layer !== undefined && layer === best).length;
  if (receivedVideos.length === 0) return "";
  const told = text.quality.pictures(numberOf(best), numberOf(receivedVideos.length));
  return missing > 0 ? `${told}, ${text.quality.missing(numberOf(missing))}` : told;
}

function both(words: (up: string, down: string) => string, up: string | null, down: string | null): string {
  return up === null && down === null ? "" : words(up ?? "–", down ?? "–");
}

function percentOf(share: number | undefined): string | null {
  return share === undefined ? null : `${numberOf(share * 100, 1)} %`;
}

function millisecondsOf(ms: number | undefined): string | null {
  return ms === undefined ? null : `${numberOf(ms)} ms`;
}
