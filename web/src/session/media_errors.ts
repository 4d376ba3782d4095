import { ConnectionError, ConnectionErrorReason, DisconnectReason } from "livekit-client";
import type { Cause } from "../app_error.ts";

/** Why an established connection has ended. What is not listed is a lost connection. */
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
  // admitted and then sent a leave request; the SDK drops the reason, and a full room is why servers do that
  [ConnectionErrorReason.LeaveRequest]: "full",
  // signalling works and the peer connection does not
  [ConnectionErrorReason.InternalError]: "media_blocked",
};

/** HTTP statuses of the signalling endpoint that say more than "not allowed". */
const CAUSE_BY_STATUS: Readonly<Record<number, Cause>> = { 404: "meeting_over", 503: "server_stopping" };

/** @returns null when the user left. */
export function causeOfDisconnect(reason: DisconnectReason | undefined): Cause | null {
  if (reason === DisconnectReason.CLIENT_INITIATED) return null;
  return (reason !== undefined && CAUSE_BY_DISCONNECT[reason]) || "connection_lost";
}

/** What a failed `Room.connect` means for the user. */
export function causeOfConnectError(error: unknown): Cause {
  if (!(error instanceof ConnectionError)) return "unexpected";
  const byStatus = error.status === undefined ? undefined : CAUSE_BY_STATUS[error.status as number];
  return byStatus ?? CAUSE_BY_CONNECTION_ERROR[error.reason as ConnectionErrorReason] ?? "unexpected";
}
