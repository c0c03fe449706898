export const BUSES = ["memory", "nats", "rabbit"] as const;
export type BusName = (typeof BUSES)[number];
export const STORES = ["memory", "redis", "valkey", "redis-cluster", "mongo"] as const;
export type StoreName = (typeof STORES)[number];
