/** Optional peers that are not part of this workspace yet: whether they are installed shows when a URL asks for one. */
declare module "@intermodal/store-mongo";
