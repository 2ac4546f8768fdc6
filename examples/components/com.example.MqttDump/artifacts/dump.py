"""Prints the topic and the payload of every message on the topics that are named, one message a line."""

import sys
import threading

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2


def text_of(event):
    if event.binary_message is not None:
        message = event.binary_message
        return message.context.topic, message.message.decode("utf-8", "backslashreplace")
    message = event.json_message
    return message.context.topic, str(message.message)


def main():
    client = GreengrassCoreIPCClientV2()
    for topic in sys.argv[1].split(","):
        client.subscribe_to_topic(
            topic=topic,
            on_stream_event=lambda event: print("%s %s" % text_of(event)),
            on_stream_error=lambda error: print("error: %s" % error) or False,
            on_stream_closed=lambda: print("closed"),
        )
        print("listening on %s" % topic)
    threading.Event().wait()


main()
