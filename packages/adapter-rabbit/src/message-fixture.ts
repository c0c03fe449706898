import type { ConsumeMessage, MessageProperties } from "amqplib";

/** A message as the driver delivers it. */
export function message(
  properties: Partial<MessageProperties>,
  { body = "body", deliveryTag = 1, exchange = "", routingKey = "" } = {},
): ConsumeMessage {
  const none: MessageProperties = {
    contentType: undefined,
    contentEncoding: undefined,
    headers: {},
    deliveryMode: undefined,
    priority: undefined,
    correlationId: undefined,
    replyTo: undefined,
    expiration: undefined,
    messageId: undefined,
    timestamp: undefined,
    type: undefined,
    userId: undefined,
    appId: undefined,
    clusterId: undefined,
  };
  return {
    content: Buffer.from(body),
    fields: { deliveryTag, redelivered: false, exchange, routingKey, consumerTag: "tag" },
    properties: { ...none, ...properties },
  };
}
