import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { BrandMark } from "../components/BrandMark.tsx";
import { DeviceSelect } from "../components/DeviceSelect.tsx";
import { ErrorMessage } from "../components/ErrorMessage.tsx";
import { Icon } from "../components/Icon.tsx";
import { LevelMeter } from "../components/LevelMeter.tsx";
import { SpeakerField } from "../components/SpeakerField.tsx";
import { CameraPreview } from "../components/Tracks.tsx";
import { text } from "../i18n/index.ts";
import type { Background } from "../session/background.ts";
import type { LocalDevice, LocalDevices } from "../session/devices.ts";
import { NAME_LENGTH_MAX } from "../session/free_name.ts";
import type { MeetingPage } from "../session/page.ts";
import { EffectsButton } from "./EffectsButton.tsx";

/** The form before the meeting: name, camera, microphone. Joining works without either device. */
export function PreJoin({ page }: { readonly page: MeetingPage }) {
  const viewOnly = page.role.value === "viewer";
  const title = page.roomTitle ? text.prejoin.titleOf(page.roomTitle) : text.prejoin.title;
  return (
    <main class="card-page">
      <section class={viewOnly ? "card prejoin view-only" : "card prejoin"}>
        <BrandMark brand={page.brand} />
        <h1>{title}</h1>
        {viewOnly ? (
          <p class="hint">{text.prejoin.watchOnly}</p>
        ) : (
          <div class="camera-column">
            <CameraPanel devices={page.devices} background={page.background} />
            <EffectsButton page={page} />
          </div>
        )}
        <JoinForm page={page} viewOnly={viewOnly} />
      </section>
    </main>
  );
}

interface CameraPanelProps {
  readonly devices: LocalDevices;
  readonly background: Background;
}

/** The own picture, with switches for both devices. */
export function CameraPanel({ devices, background }: CameraPanelProps) {
  const track = background.preview.value ?? devices.camera.track.value;
  return (
    <div class="preview">
      {track ? <CameraPreview track={track} label={text.prejoin.previewLabel} /> : <p>{text.prejoin.noPicture}</p>}
      <div class="preview-controls">
        <DeviceToggle devices={devices} device={devices.microphone} />
        <DeviceToggle devices={devices} device={devices.camera} />
        {devices.facing.value && <FlipButton devices={devices} />}
      </div>
    </div>
  );
}

function FlipButton({ devices }: { readonly devices: LocalDevices }) {
  const { flip } = text.before;
  return (
    <button type="button" class="round" aria-label={flip} title={flip} onClick={() => void devices.flip()}>
      <Icon name="flip" />
    </button>
  );
}

function DeviceToggle({ devices, device }: { readonly devices: LocalDevices; readonly device: LocalDevice }) {
  const on = device.on.value;
  return (
    <button
      type="button"
      class={on ? "round" : "round off"}
      role="switch"
      aria-checked={on}
      aria-label={text.device[device.kind]}
      title={text.device[device.kind]}
      onClick={() => void devices.toggle(device)}
    >
      <Icon name={on ? device.kind : `${device.kind}Off`} />
    </button>
  );
}

function JoinForm({ page, viewOnly }: { readonly page: MeetingPage; readonly viewOnly: boolean }) {
  const nameMissing = useSignal(false);
  const nameInput = useRef<HTMLInputElement>(null);
  const error = page.error.value;
  const offered = page.offeredName.value;
  const aboutName = nameMissing.value || error === "name_taken" || error === "name_not_valid";
  useEffect(() => {
    if (aboutName) nameInput.current?.focus();
  }, [aboutName]);

  function submit(event: Event): void {
    event.preventDefault();
    nameMissing.value = page.name.value.trim() === "";
    if (!nameMissing.value) void page.join();
  }

  return (
    <form class="join-form" onSubmit={submit} noValidate>
      <div class="field">
        <label for="name">{text.prejoin.nameLabel}</label>
        <input
          id="name"
          ref={nameInput}
          value={page.name.value}
          placeholder={text.prejoin.namePlaceholder}
          maxLength={NAME_LENGTH_MAX}
          autocomplete="nickname"
          required
          aria-invalid={aboutName}
          aria-describedby={aboutName ? "name-problem" : undefined}
          onInput={(event) => {
            page.name.value = event.currentTarget.value;
            nameMissing.value = false;
          }}
        />
        {nameMissing.value && (
          <p class="field-problem" id="name-problem" role="alert">
            {text.prejoin.nameMissing}
          </p>
        )}
      </div>
      {error && (
        <ErrorMessage text={text.errors[error]} id="name-problem">
          {offered && (
            <button type="button" class="primary" onClick={() => void page.joinAsOffered()}>
              {text.before.joinAs(offered)}
            </button>
          )}
        </ErrorMessage>
      )}
      {viewOnly ? <SpeakerField speaker={page.devices.speaker} /> : <DeviceFields devices={page.devices} />}
      <button type="submit" class="primary" disabled={page.joining.value}>
        {page.joining.value ? text.prejoin.joining : text.prejoin.join}
      </button>
    </form>
  );
}

function DeviceFields({ devices }: { readonly devices: LocalDevices }) {
  return (
    <>
      {[devices.microphone, devices.camera].map((device) => (
        <div key={device.kind} class="device">
          <DeviceSelect
            label={text.device[device.kind]}
            options={device.options.value}
            selectedId={device.selectedId.value}
            onSelect={(id) => void devices.select(device, id)}
          />
          {device.kind === "microphone" && <LevelMeter track={device.track.value} />}
          {device.error.value && (
            <ErrorMessage text={text.errors[device.error.value]} about={text.device[device.kind]} />
          )}
        </div>
      ))}
      <SpeakerField speaker={devices.speaker} />
    </>
  );
}
