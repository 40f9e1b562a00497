using System.CommandLine;
using Crashcart.Coordinator.Hosting;
using Crashcart.Native;

// Whatever the umask of whoever starts it.
Umask.KeepToOwner();

// The command ends by itself on signals, and may take longer than the parser would wait.
return await new CoordinatorCommand().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
