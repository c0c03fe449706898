import json
import os

import pika

NAMESPACE = os.environ.get("INTERMODAL_NAMESPACE", "intermodal")
QUEUE = "labels"

connection = pika.BlockingConnection(pika.URLParameters(os.environ["INTERMODAL_COMMANDS"]))
channel = connection.channel()
channel.basic_qos(prefetch_count=1)
# The queue that all workers share; it is there once a worker or a sender has used it.
for method, _properties, body in channel.consume(f"intermodal.{NAMESPACE}.queue.{QUEUE}"):
    command = json.loads(body)  # a CloudEvent
    print(json.dumps(command))
    channel.basic_ack(method.delivery_tag)  # not before the work is done
    break
channel.cancel()
connection.close()
