// The only source of the precompiled header target; it has nothing to say.
