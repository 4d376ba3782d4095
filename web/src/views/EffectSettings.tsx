import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Dialog } from "../components/Dialog.tsx";
import { CameraPreview } from "../components/Tracks.tsx";
import { keepOwnPicture, ownPicture } from "../effects/own_picture.ts";
import { drawScene } from "../effects/pictures.ts";
import { isBackgroundSupported } from "../effects/video_stream.ts";
import { text } from "../i18n/index.ts";
import { BACKGROUNDS, type Background, type BackgroundChoice } from "../session/background.ts";
import { NOISE_LEVELS, type NoiseLevel, type NoiseSuppression } from "../session/noise.ts";
import type { MeetingPage } from "../session/page.ts";
import "../styles/effects.css";

interface EffectSettingsProps {
  readonly background: Background;
  readonly noise: NoiseSuppression;
}

/** What stands behind the user, and how much noise is taken out of the microphone. */
export function EffectSettings({ background, noise }: EffectSettingsProps) {
  return (
    <>
      {background.allowed.value && <BackgroundChooser background={background} />}
      <NoiseSelect noise={noise} />
    </>
  );
}

/** The same before the meeting, with the own picture. */
export function EffectsDialog({ page, onClose }: { readonly page: MeetingPage; readonly onClose: () => void }) {
  const track = page.background.preview.value ?? page.devices.camera.track.value;
  return (
    <Dialog title={text.effects.open} onClose={onClose}>
      <div class="effects-preview">
        {track ? <CameraPreview track={track} label={text.prejoin.previewLabel} /> : <p>{text.prejoin.noPicture}</p>}
      </div>
      <EffectSettings background={page.background} noise={page.noise} />
    </Dialog>
  );
}

function BackgroundChooser({ background }: { readonly background: Background }) {
  const [isSupported] = useState(isBackgroundSupported);
  const problem = useSignal("");
  const file = useRef<HTMLInputElement>(null);
  const name = useId();

  async function keep(chosen: File | undefined): Promise<void> {
    problem.value = "";
    if (!chosen) return;
    try {
      await keepOwnPicture(chosen);
      background.choose("own");
    } catch {
      problem.value = text.effects.notAPicture;
    }
  }

  async function choose(choice: BackgroundChoice): Promise<void> {
    problem.value = "";
    if (choice === "own" && !(await ownPicture())) file.current?.click();
    else background.choose(choice);
  }

  return (
    <fieldset class="backgrounds" aria-busy={background.starting.value}>
      <legend>{text.effects.background}</legend>
      {isSupported ? (
        <>
          <div class="background-choices">
            {BACKGROUNDS.map((choice) => (
              <label key={choice} class="background" data-choice={choice}>
                <input
                  type="radio"
                  name={name}
                  checked={background.choice.value === choice}
                  onChange={() => void choose(choice)}
                />
                <Thumbnail choice={choice} version={background.version.value} />
                <span>{text.effects.backgrounds[choice]}</span>
              </label>
            ))}
          </div>
          <input
            ref={file}
            type="file"
            accept="image/*"
            hidden
            onChange={(event) => {
              void keep(event.currentTarget.files?.[0]);
              event.currentTarget.value = "";
            }}
          />
          <div class="background-own">
            <button type="button" onClick={() => file.current?.click()}>
              {text.effects.choosePicture}
            </button>
            <span class="hint">{text.effects.pictureKept}</span>
          </div>
        </>
      ) : (
        <p class="hint">{text.effects.unsupported}</p>
      )}
      <p class="background-state" role="status">
        {background.starting.value ? text.effects.loading : problem.value || warningOf(background)}
      </p>
    </fieldset>
  );
}

function warningOf(background: Background): string {
  const warning = background.warning.value;
  return warning ? text.notices[warning] : "";
}

/** How a background looks, small. */
function Thumbnail({ choice, version }: { readonly choice: BackgroundChoice; readonly version: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the own picture can be another one
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) void drawThumbnail(context, choice);
  }, [choice, version]);
  return <canvas ref={canvas} width={160} height={90} />;
}

async function drawThumbnail(context: CanvasRenderingContext2D, choice: BackgroundChoice): Promise<void> {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  if (choice === "own") {
    const blob = await ownPicture();
    const picture = blob && (await createImageBitmap(blob));
    if (!picture) {
      drawSign(context, [-1, 0, 1, 0], [0, -1, 0, 1]);
      return;
    }
    const scale = Math.max(width / picture.width, height / picture.height);
    const [w, h] = [picture.width * scale, picture.height * scale];
    context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
    picture.close();
  } else if (choice === "light" || choice === "strong") {
    drawBlur(context, choice === "light" ? 2 : 7);
  } else if (choice === "none") {
    drawSign(context, [-0.7, -0.7, 0.7, 0.7]);
    context.beginPath();
    context.arc(width / 2, height / 2, SIGN, 0, 2 * Math.PI);
    context.stroke();
  } else drawScene(context, choice);
}

/** Half the size of a sign. */
const SIGN = 18;

/** Lines around the middle, from and to shares of a sign's size. */
function drawSign(context: CanvasRenderingContext2D, ...lines: [number, number, number, number][]): void {
  const [x, y] = [context.canvas.width / 2, context.canvas.height / 2];
  context.strokeStyle = "#7c8a86";
  context.lineWidth = 4;
  context.lineCap = "round";
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of lines) {
    context.moveTo(x + fromX * SIGN, y + fromY * SIGN);
    context.lineTo(x + toX * SIGN, y + toY * SIGN);
  }
  context.stroke();
}

/** A person before shapes that are more or less sharp. */
function drawBlur(context: CanvasRenderingContext2D, radius: number): void {
  const { width, height } = context.canvas;
  context.fillStyle = "#b9c4c0";
  context.fillRect(0, 0, width, height);
  context.filter = `blur(${radius}px)`;
  for (const [x, y, w, h, colour] of [
    [8, 8, 34, 40, "#6b8f6b"],
    [104, 12, 44, 28, "#c98ba0"],
    [0, 62, 160, 28, "#7d6a58"],
  ] as const) {
    context.fillStyle = colour;
    context.fillRect(x, y, w, h);
  }
  context.filter = "none";
  context.fillStyle = "#31423f";
  context.beginPath();
  context.arc(width / 2, height * 0.42, height * 0.2, 0, 2 * Math.PI);
  context.ellipse(width / 2, height * 1.05, height * 0.4, height * 0.38, 0, 0, 2 * Math.PI);
  context.fill();
}

function NoiseSelect({ noise }: { readonly noise: NoiseSuppression }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{text.effects.noise}</label>
      <select
        id={id}
        value={noise.level.value}
        onChange={(event) => noise.choose(event.currentTarget.value as NoiseLevel)}
      >
        {NOISE_LEVELS.map((level) => (
          <option key={level} value={level}>
            {text.effects.noiseLevels[level]}
          </option>
        ))}
      </select>
      {noise.failed.value && (
        <p class="hint" role="status">
          {text.notices.noise_failed}
        </p>
      )}
    </div>
  );
}
