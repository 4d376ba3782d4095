import { ConnectionError, ConnectionErrorReason, DisconnectReason } from "livekit-client";
import type { Cause } from "../trouble.ts";

/** Why a connection that once stood has ended. What is not listed is a connection that was lost. */
const CAUSE_BY_DISCONNECT: Readonly<Partial<Record<DisconnectReason, Cause>>> = {
  [DisconnectReason.DUPLICATE_IDENTITY]: "joined_elsewhere",
  [DisconnectReason.SERVER_SHUTDOWN]: "server_stopping",
  [DisconnectReason.PARTICIPANT_REMOVED]: "removed",
  [DisconnectReason.ROOM_DELETED]: "meeting_over",
  [DisconnectReason.ROOM_CLOSED]: "meeting_over",
};

const CAUSE_BY_CONNECTION_ERROR: Readonly<Partial<Record<ConnectionErrorReason, Cause>>> = {
  [ConnectionErrorReason.NotAllowed]: "not_admitted",
  [ConnectionErrorReason.ServerUnreachable]: "server_unreachable",
  [ConnectionErrorReason.WebSocket]: "server_unreachable",
  [ConnectionErrorReason.Timeout]: "server_unreachable",
  [ConnectionErrorReason.ServiceNotFound]: "server_unreachable",
  // let in only to be told to leave; the SDK loses the reason, and a full room is why servers do that
  [ConnectionErrorReason.LeaveRequest]: "full",
  // signalling works and the peer connection does not
  [ConnectionErrorReason.InternalError]: "media_blocked",
};

/** HTTP answers of the media server's door that say more than "not allowed". */
const CAUSE_BY_STATUS: Readonly<Record<number, Cause>> = { 404: "meeting_over", 503: "server_stopping" };

/** @returns null for somebody who left on purpose. */
export function causeOfDisconnect(reason: DisconnectReason | undefined): Cause | null {
  if (reason === DisconnectReason.CLIENT_INITIATED) return null;
  return (reason !== undefined && CAUSE_BY_DISCONNECT[reason]) || "connection_lost";
}

/** What a failed `Room.connect` means for a person. */
export function causeOfConnectError(error: unknown): Cause {
  if (!(error instanceof ConnectionError)) return "unexpected";
  const byStatus = error.status === undefined ? undefined : CAUSE_BY_STATUS[error.status as number];
  return byStatus ?? CAUSE_BY_CONNECTION_ERROR[error.reason as ConnectionErrorReason] ?? "unexpected";
}
