using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// Every test looks at the whole host before and after itself.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
