using System.CommandLine;
using Crashcart.Node;

// The command ends by itself on signals, and may take longer than the parser would wait.
return await new NodeCommand().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
