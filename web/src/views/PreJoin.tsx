import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { DeviceSelect } from "../components/DeviceSelect.tsx";
import { Icon } from "../components/Icon.tsx";
import { LevelMeter } from "../components/LevelMeter.tsx";
import { Preview } from "../components/Media.tsx";
import { Message } from "../components/Message.tsx";
import { text } from "../i18n/index.ts";
import type { LocalDevice, LocalDevices } from "../session/devices.ts";
import type { MeetingPage } from "../session/page.ts";

/** As the API has it: a participant's name has at most 128 characters. */
const NAME_LENGTH_MAX = 128;

/** Before the meeting: who am I, do my camera and microphone work. Joining works without any of the two. */
export function PreJoin({ page }: { readonly page: MeetingPage }) {
  const watches = page.role.value === "viewer";
  const title = page.roomTitle ? text.prejoin.titleOf(page.roomTitle) : text.prejoin.title;
  return (
    <main class="card-page">
      <section class={watches ? "card prejoin watches" : "card prejoin"}>
        <h1>{title}</h1>
        {watches ? <p class="hint">{text.prejoin.watchOnly}</p> : <OwnPicture devices={page.devices} />}
        <JoinForm page={page} watches={watches} />
      </section>
    </main>
  );
}

function OwnPicture({ devices }: { readonly devices: LocalDevices }) {
  const track = devices.camera.track.value;
  return (
    <div class="preview">
      {track ? <Preview track={track} label={text.prejoin.previewLabel} /> : <p>{text.prejoin.noPicture}</p>}
      <div class="preview-controls">
        <DeviceToggle devices={devices} device={devices.microphone} />
        <DeviceToggle devices={devices} device={devices.camera} />
      </div>
    </div>
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

function JoinForm({ page, watches }: { readonly page: MeetingPage; readonly watches: boolean }) {
  const nameMissing = useSignal(false);
  const nameInput = useRef<HTMLInputElement>(null);
  const problem = page.problem.value;
  const aboutName = nameMissing.value || problem === "name_taken" || problem === "name_not_valid";
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
      {problem && <Message words={text.trouble[problem]} id="name-problem" />}
      {!watches && <DeviceFields devices={page.devices} />}
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
            kind={device.kind}
            choices={device.choices.value}
            chosenId={device.chosenId.value}
            onChoose={(id) => void devices.choose(device, id)}
          />
          {device.kind === "microphone" && <LevelMeter track={device.track.value} />}
          {device.problem.value && (
            <Message words={text.trouble[device.problem.value]} about={text.device[device.kind]} />
          )}
        </div>
      ))}
    </>
  );
}
