import json
import os
import uuid

import pika

NAMESPACE = os.environ.get("INTERMODAL_NAMESPACE", "intermodal")
QUEUE = "labels"

connection = pika.BlockingConnection(pika.URLParameters(os.environ["INTERMODAL_COMMANDS"]))
channel = connection.channel()
channel.confirm_delivery()
command = {
    "specversion": "1.0",
    "id": str(uuid.uuid4()),
    "source": "catalogue",
    "type": "label.print",
    "queue": QUEUE,
    "data": {"bookId": "moby-dick", "copies": 2},
}
channel.basic_publish(
    exchange=f"intermodal.{NAMESPACE}.direct",
    routing_key=f"intermodal.{NAMESPACE}.queue.{QUEUE}",
    body=json.dumps(command).encode(),
    properties=pika.BasicProperties(
        content_type="application/cloudevents+json",
        delivery_mode=pika.DeliveryMode.Persistent,
        message_id=command["id"],
    ),
    mandatory=True,  # so that it fails where no worker and no sender has used the queue yet
)
print(json.dumps(command))
connection.close()
