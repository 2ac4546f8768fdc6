import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { ServerIdentity } from "../../pki/ca.ts";

export interface TlsPortOptions {
  readonly identity: ServerIdentity;
  /** PEM of the CA that clients' certificates come from. */
  readonly clientCa: string;
  /** The address to listen on. */
  readonly host?: string;
  /** 0: a free one. */
  readonly port: number;
  /** The protocols that a client may ask for in ALPN (RFC 7301). */
  readonly protocols?: readonly string[];
  /** Takes a connection whose TLS is done; its `alpnProtocol` is what it asked for. */
  readonly accept: (socket: TLSSocket) => void;
  /** Told why a connection ended before it was one: the name in its certificate, its address, and what was wrong. */
  readonly refused: (who: string | undefined, from: string | undefined, what: string) => void;
}

export interface TlsPort {
  readonly port: number;
  close: () => Promise<void>;
}

/** TLS 1.2 and later (https://docs.aws.amazon.com/iot/latest/developerguide/transport-security.html). */
const TLS = { requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" } as const;

/**
 * A port with mutual TLS. A certificate of another CA is refused here rather than in the handshake, which would only
 * say that the connection was lost: who provisions devices meets this one first.
 */
export async function openTlsPort({
  identity,
  clientCa,
  host = "127.0.0.1",
  port,
  protocols,
  accept,
  refused,
}: TlsPortOptions): Promise<TlsPort> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      key: identity.key,
      cert: identity.certificate,
      ca: clientCa,
      ...TLS,
      // An acknowledgement and an answer are two small packets: the second one would wait for 40 ms.
      noDelay: true,
      ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    },
    (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      if (socket.authorized) {
        return accept(socket);
      }
      const { subject } = socket.getPeerCertificate();
      refused(
        subject === undefined ? undefined : [subject.CN].flat().join(", "),
        addressOf(socket),
        whyUnauthorized(socket),
      );
      socket.destroy();
    },
  );
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    // Who only looks whether the port answers goes away again before it has said whom it wants.
    if (error.code !== "ECONNRESET" || typeof servernameOf(socket) === "string") {
      refused(undefined, addressOf(socket), whyNoTls(error));
    }
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** Where a connection comes from, "address:port". */
export function addressOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}

/** The name that a client asked for (SNI); its types leave it out. */
function servernameOf(socket: TLSSocket): unknown {
  return (socket as { servername?: unknown }).servername;
}

function whyUnauthorized(socket: TLSSocket): string {
  return socket.getPeerCertificate().subject === undefined
    ? "was refused: it shows no certificate"
    : `was refused: its certificate is not of this account's CA (${String(socket.authorizationError)})`;
}

function whyNoTls(error: NodeJS.ErrnoException): string {
  const code = error.code ?? error.message;
  return /UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|ECONNRESET/.test(code)
    ? `does not trust this sandbox's certificate: its root CA has to be SandboxCA.pem of its bundle (${code})`
    : `was refused: TLS failed (${code})`;
}
