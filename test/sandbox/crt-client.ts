// A client written with AWS's device SDK (aws-crt): it publishes to crt/VERSION, and prints what comes back.
// Arguments: the folder with ca.pem, cert.pem and key.pem; the port; 4 or 5.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { io, iot, mqtt, mqtt5 } from "aws-iot-device-sdk-v2";

const [folder = "", port = "", version = ""] = process.argv.slice(2);
const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) =>
  readFileSync(join(folder, name), "utf8"),
) as [string, string, string];
const [topic, back] = [`crt/${version}`, `crt/back/${version}`];
const payload = JSON.stringify({ from: "the SDK" });

if (version === "5") {
  const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
    "localhost",
    cert,
    key,
  )
    .withCertificateAuthority(ca)
    .withPort(Number(port))
    .withConnectProperties({ clientId: "crt-5", keepAliveIntervalSeconds: 60 })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  client.on("connectionSuccess", () => {
    void client
      .subscribe({ subscriptions: [{ topicFilter: back, qos: mqtt5.QoS.AtLeastOnce }] })
      .then(() => client.publish({ topicName: topic, qos: mqtt5.QoS.AtLeastOnce, payload }));
  });
  client.on("messageReceived", ({ message }) => {
    console.log(Buffer.from(message.payload as ArrayBuffer).toString());
    process.exit(0);
  });
  client.start();
} else {
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(cert, key)
    .with_certificate_authority(ca)
    .with_client_id("crt-4")
    .with_clean_session(true)
    .with_endpoint("localhost")
    .with_port(Number(port))
    .build();
  const connection = new mqtt.MqttClient(new io.ClientBootstrap()).new_connection(config);
  await connection.connect();
  await connection.subscribe(back, mqtt.QoS.AtLeastOnce, (_, bytes) => {
    console.log(Buffer.from(bytes).toString());
    process.exit(0);
  });
  await connection.publish(topic, payload, mqtt.QoS.AtLeastOnce);
}
