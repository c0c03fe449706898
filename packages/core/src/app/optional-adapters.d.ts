/** Optional peers: whether they are installed shows when a URL asks for one. */
declare module "@intermodal/adapter-nats";
declare module "@intermodal/adapter-rabbit";
declare module "@intermodal/store-redis";
declare module "@intermodal/store-mongo";
