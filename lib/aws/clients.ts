import type { Agent } from "node:https";
import type { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { IoTClient } from "@aws-sdk/client-iot";
import type { S3Client } from "@aws-sdk/client-s3";
import type { STSClient } from "@aws-sdk/client-sts";
import { keepPace, type Pace } from "./pace.ts";
import { httpsAgent } from "../http/proxy.ts";

export interface AwsAccessOptions {
  /** e.g. "eu-west-1" */
  readonly region: string;
  /** The endpoint of a sandbox. Absent: AWS itself, with the SDK's default chain of credentials. */
  readonly endpoint?: string;
  /** The pace of the calls to IoT; absent: as fast as they come. */
  readonly pace?: Pace;
}

/** The clients for one account and region. Each is loaded and made when it is first asked for. */
export interface AwsAccess {
  readonly region: string;
  iot: () => Promise<IoTClient>;
  iam: () => Promise<IAMClient>;
  sts: () => Promise<STSClient>;
  greengrass: () => Promise<GreengrassV2Client>;
  s3: () => Promise<S3Client>;
  /** Ends the connections of every client that was made. */
  close: () => void;
}

/**
 * Access to AWS, or to a sandbox. With an endpoint nothing of the environment or of ~/.aws is used: neither
 * credentials nor endpoints, and no request leaves for any other host.
 */
export function awsAccess({ region, endpoint, pace }: AwsAccessOptions): AwsAccess {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const settings = {
    region,
    ...RETRIES,
    ...(endpoint === undefined ? awsSettings() : sandboxSettings(endpoint)),
  };
  const made: { destroy: () => void }[] = [];
  const once = <T extends { destroy: () => void }>(make: () => Promise<T>): (() => Promise<T>) => {
    let client: Promise<T> | undefined;
    return () =>
      (client ??= make().then((ready) => {
        made.push(ready);
        return ready;
      }));
  };
  return {
    region,
    iot: once(async () => {
      const client = new (await import("@aws-sdk/client-iot")).IoTClient({
        ...settings,
        // The pace is kept here, for each operation by itself.
        ...(pace === undefined ? {} : { retryMode: "standard", maxAttempts: PACED_ATTEMPTS }),
      });
      if (pace !== undefined) {
        keepPace(client, pace);
      }
      return client;
    }),
    iam: once(async () => new (await import("@aws-sdk/client-iam")).IAMClient(settings)),
    sts: once(async () => new (await import("@aws-sdk/client-sts")).STSClient(settings)),
    greengrass: once(
      async () => new (await import("@aws-sdk/client-greengrassv2")).GreengrassV2Client(settings),
    ),
    // The sandbox has no names for its buckets.
    s3: once(
      async () =>
        new (await import("@aws-sdk/client-s3")).S3Client({
          ...settings,
          forcePathStyle: endpoint !== undefined,
        }),
    ),
    close: () => {
      for (const client of made.splice(0)) {
        client.destroy();
      }
    },
  };
}

/** How often a call that keeps its pace is tried: AWS's quotas are shared with others. */
const PACED_ATTEMPTS = 12;

/**
 * AWS IoT allows some calls only ten times a second and account: slow down where it says so, and give up at
 * last.
 */
const RETRIES = { retryMode: "adaptive", maxAttempts: 8 };

/** What the clients for AWS itself have in common: they honour the proxy of the environment. */
export function awsSettings(): { readonly requestHandler: { readonly httpsAgent: Agent } } {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- any agent has what it asks
  return { requestHandler: { httpsAgent: httpsAgent() as Agent } };
}

/** Everything that the SDK would otherwise take from the environment or a profile. */
function sandboxSettings(endpoint: string) {
  return {
    endpoint,
    credentials: { accessKeyId: "SANDBOX", secretAccessKey: "SANDBOX" },
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: "standard" as const,
    userAgentAppId: "dospesos-sandbox",
  };
}
