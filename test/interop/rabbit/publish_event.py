import json
import os
import uuid
from datetime import datetime, timezone

import pika

NAMESPACE = os.environ.get("INTERMODAL_NAMESPACE", "intermodal")

connection = pika.BlockingConnection(pika.URLParameters(os.environ["INTERMODAL_EVENTS"]))
channel = connection.channel()
channel.confirm_delivery()  # so that publishing returns when the broker has the event
event = {
    "specversion": "1.0",
    "id": str(uuid.uuid4()),
    "source": "catalogue",  # who publishes
    "type": "book.catalogued",  # the contract's name
    "dataversion": "1.0",  # the contract's version
    "time": datetime.now(timezone.utc).isoformat(),
    "datacontenttype": "application/json",
    "data": {"bookId": "moby-dick", "pages": 635},
}
channel.basic_publish(
    exchange=f"intermodal.{NAMESPACE}.events",
    routing_key=event["type"],
    body=json.dumps(event).encode(),
    properties=pika.BasicProperties(
        content_type="application/cloudevents+json",
        delivery_mode=pika.DeliveryMode.Persistent,
        message_id=event["id"],
    ),
)
print(json.dumps(event))
connection.close()
