import { partitionOf } from "dospesos";

/** The account and region that a policy's ARNs name. */
export interface Scope {
  readonly region: string;
  /** 12 digits. */
  readonly account: string;
}

export interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

/** A policy document, for IAM and IoT alike; its JSON text is what AWS takes. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/**
 * What a core may do with AWS services through the token exchange role: send its own logs to CloudWatch, and
 * read the artifacts of the project's components where there is a bucket of them (`artifacts`), no more
 * (Greengrass V2 Developer Guide, "Authorize core devices to interact with AWS services", "Log manager"). Log
 * groups can be created, but only streams that end in the core's own name can be written to: the credentials
 * provider sets `credentials-iot:ThingName` from a header that the nucleus sends (AWS IoT Developer Guide,
 * "Authorizing direct calls to AWS services"). Not confirmed with a real account; were it not set, log
 * uploads would be refused and nothing else.
 */
export function tokenExchangePolicy(
  scope: Scope & { readonly artifacts?: string | undefined },
): PolicyDocument {
  const groups = `${arnPrefix("logs", scope)}log-group:/aws/greengrass/*`;
  return document([
    allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"], groups),
    allow("logs:PutLogEvents", `${groups}:log-stream:*/thing/\${credentials-iot:ThingName}`),
    ...(scope.artifacts === undefined
      ? []
      : [
          allow("s3:GetObject", `${bucketArn(scope.region, scope.artifacts)}/components/*`),
          // The nucleus asks for the bucket's region first (aws-greengrass-nucleus, S3Downloader).
          allow("s3:GetBucketLocation", bucketArn(scope.region, scope.artifacts)),
        ]),
  ]);
}

/**
 * The IoT policy that all cores of an instance share: taking on the token exchange role, deployments, and the
 * certificates of client devices. It names no core, because these Greengrass actions know no resource of
 * their own, so "*" is the narrowest there is (Greengrass V2 Developer Guide, "Device authentication and
 * authorization": minimal policies for core devices and for client device support). Without
 * `ListThingGroupsForCoreDevice` a nucleus since 2.5 fails its deployments.
 */
export function corePolicy(scope: Scope & { readonly alias: string }): PolicyDocument {
  const iot = arnPrefix("iot", scope);
  return document([
    allow("iot:AssumeRoleWithCertificate", `${iot}rolealias/${exact(scope.alias)}`),
    allow(
      [
        "greengrass:GetComponentVersionArtifact",
        "greengrass:GetDeploymentConfiguration",
        "greengrass:ListThingGroupsForCoreDevice",
        "greengrass:PutCertificateAuthorities",
        "greengrass:ResolveComponentCandidates",
        "greengrass:VerifyClientDeviceIdentity",
      ],
      "*",
    ),
    // The things whose certificates a core may ask about are those that are associated with it, which no ARN
    // can express.
    allow("greengrass:VerifyClientDeviceIoTCertificateAssociation", `${iot}thing/*`),
  ]);
}

/**
 * The IoT policy of one core: its own connections, health, jobs, shadows and connectivity information. AWS's
 * example (Greengrass V2 Developer Guide, "Device authentication and authorization") puts `*` after the name,
 * so that core-1 may act as core-10; here no wildcard touches the name. The nucleus connects as `NAME`, then
 * as `NAME#2`, `NAME#3`, …, where no name can hold a `#`; not confirmed with a real account.
 *
 * - `NAME-gci` is the thing whose shadow tells the core that its connectivity information changed; the core
 *   gets it, and updates it with what it has taken over (aws-greengrass-client-device-auth, CISShadowMonitor);
 *   each of its topics by itself would not fit into a policy for the longest names.
 *   A core that were itself called `NAME-gci` would share it.
 * - `greengrass*` stands for the two topics of telemetry, greengrass/health/json and
 * greengrassv2/health/json.
 * - The HTTP actions on shadows (`iot:GetThingShadow`, …) are the shadow manager component's and not granted:
 * the nucleus
 *   itself uses the topics.
 *
 * Thing policy variables would make one policy for all cores, but do not work for core devices (same page).
 * For names of 64 characters the document stays below AWS's 2,048 (AWS General Reference, "AWS IoT Core
 * endpoints and quotas").
 */
export function devicePolicy(scope: Scope & { readonly name: string }): PolicyDocument {
  const iot = arnPrefix("iot", scope);
  const name = exact(scope.name);
  const topic = `${iot}topic/$aws/things/${name}`;
  const filter = `${iot}topicfilter/$aws/things/${name}`;
  return document([
    allow("iot:Connect", [`${iot}client/${name}`, `${iot}client/${name}#*`]),
    allow("iot:Publish", `${topic}/greengrass*/health/json`),
    allow(["iot:Publish", "iot:Receive"], [`${topic}/jobs/*`, `${topic}/shadow/*`, `${topic}-gci/shadow/*`]),
    allow("iot:Subscribe", [`${filter}/jobs/*`, `${filter}/shadow/*`, `${filter}-gci/shadow/*`]),
    allow(["greengrass:GetConnectivityInfo", "greengrass:UpdateConnectivityInfo"], `${iot}thing/${name}`),
  ]);
}

/** The most characters of an IoT policy (AWS General Reference, "AWS IoT Core endpoints and quotas"). */
const MAX_POLICY = 2048;

/**
 * All that one core may do, as one policy: attaching policies is what takes longest in a fleet. Undefined where the
 * names are so long that it would be above AWS's limit.
 */
export function wholeCorePolicy(
  scope: Scope & { readonly name: string; readonly alias: string },
): PolicyDocument | undefined {
  const whole = document([...devicePolicy(scope).Statement, ...corePolicy(scope).Statement]);
  return JSON.stringify(whole).length <= MAX_POLICY ? whole : undefined;
}

/**
 * The IoT policy of one client thing: asking where its cores are. It talks to a core's own broker, where the
 * core's settings decide, so nothing of IoT Core is granted, nor the token exchange role (Greengrass V2
 * Developer Guide, "Device authentication and authorization": minimal policy for client devices).
 */
export function thingPolicy(scope: Scope & { readonly name: string }): PolicyDocument {
  return document([allow("greengrass:Discover", `${arnPrefix("iot", scope)}thing/${exact(scope.name)}`)]);
}

function bucketArn(region: string, bucket: string): string {
  return `arn:${partitionOf(region).name}:s3:::${bucket}`;
}

function arnPrefix(service: string, { region, account }: Scope): string {
  return `arn:${partitionOf(region).name}:${service}:${region}:${account}:`;
}

/** The name, sure to match nothing but itself: `*`, `?` and `${` in an ARN would match other devices. */
function exact(name: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) {
    throw new RangeError("a name in a policy has only letters, digits, - and _");
  }
  return name;
}

function allow(actions: string | readonly string[], resources: string | readonly string[]): PolicyStatement {
  return { Effect: "Allow", Action: actions, Resource: resources };
}

function document(statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}
