import type { TLSSocket } from "node:tls";

/** AWS IoT waits this long for CONNECT (AWS IoT Core endpoints and quotas, "Connect timeout"), in milliseconds. */
const PATIENCE = 30_000;
/** Bytes: of a CONNECT its client id, user name and will, whose payload has 128 KB at most (the same page). */
const MOST = 160 * 1024;
/** The first byte of CONNECT (MQTT 3.1.1, 3.1), and how many bytes may say its length. */
const CONNECT = 0x10;
const LENGTH_BYTES = 4;

/**
 * Looks at what a client sends first, before anything is kept: it must be a CONNECT of a sensible length. `accept`
 * gets the socket with all that came; `refuse` says why not, and the socket is gone.
 */
export function awaitConnect(
  socket: TLSSocket,
  accept: (socket: TLSSocket) => void,
  refuse: (why: string) => void,
): void {
  const end = (why: string): void => {
    clearTimeout(clock);
    socket.off("close", left);
    socket.off("readable", look);
    refuse(why);
    socket.destroy();
  };
  const clock = setTimeout(() => end(`no CONNECT within ${PATIENCE / 1000} s`), PATIENCE);
  let bytes = Buffer.alloc(0);
  const look = (): void => {
    const more = socket.read() as Buffer | null;
    if (more === null) {
      return;
    }
    bytes = Buffer.concat([bytes, more]);
    const length = lengthOf(bytes);
    if (bytes[0] !== CONNECT || length === "wrong") {
      end("what it sends is not MQTT's CONNECT");
    } else if (length !== undefined && length > MOST) {
      end(`its CONNECT has ${length} bytes, and AWS takes less than ${MOST}`);
    } else if (length !== undefined) {
      clearTimeout(clock);
      socket.off("close", left);
      socket.off("readable", look);
      socket.unshift(bytes);
      accept(socket);
    }
  };
  socket.on("readable", look);
  // Some libraries verify the server's certificate after the handshake, and then go without a word.
  const left = (): void =>
    refuse("it closed the connection before CONNECT, as a client does that does not trust SandboxCA.pem");
  socket.on("close", () => clearTimeout(clock));
  socket.once("close", left);
}

/** The remaining length of a packet (MQTT 3.1.1, 2.2.3); undefined while its bytes are not all here. */
function lengthOf(bytes: Buffer): number | "wrong" | undefined {
  let length = 0;
  for (let index = 1; index <= LENGTH_BYTES; index++) {
    const byte = bytes[index];
    if (byte === undefined) {
      return undefined;
    }
    length += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) {
      return length;
    }
  }
  return "wrong";
}
