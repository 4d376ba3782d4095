/** @jsxImportSource react */
import { useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import type { TertuliaMeetElement } from "tertulia-meet";
import "tertulia-meet";
import type {} from "tertulia-meet/react";

/** A meeting in a React page: attributes and events as properties, methods by a ref. */
function Meeting({ roomUrl, name }: { readonly roomUrl: string; readonly name: string }) {
  const meet = useRef<TertuliaMeetElement>(null);
  const [state, setState] = useState("");
  return (
    <>
      <tertulia-meet
        ref={meet}
        roomUrl={roomUrl}
        participantName={name}
        style={{ display: "block", height: 640 }}
        onmeetingJoined={({ detail }) => setState(`In the meeting as ${detail.participantIdentity}`)}
        onmeetingLeft={({ detail }) => setState(`Left: ${detail.reason}`)}
      />
      <button type="button" onClick={() => void meet.current?.setMicrophone(false)}>
        Mute
      </button>
      <p>{state}</p>
    </>
  );
}

const link = new URLSearchParams(location.search).get("room") ?? "";
const app = document.getElementById("app");
if (app) createRoot(app).render(<Meeting roomUrl={link} name="Ana" />);
