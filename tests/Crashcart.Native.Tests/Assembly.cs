// Loop devices, mounts and locks are the host's: a survey of one test sees, and releases, what another has left on purpose, and a
// program that one starts has, until it is executed, the descriptors of the others.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
