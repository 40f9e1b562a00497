using System.CommandLine;
using Crashcart.Node;

return await new NodeCommand().Parse(args).InvokeAsync();
