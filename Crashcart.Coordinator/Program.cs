using System.CommandLine;
using Crashcart.Coordinator.Hosting;

// The command ends by itself on signals, and may take longer than the parser would wait.
return await new CoordinatorCommand().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
