using Crashcart.Cli.Grammar;
using Crashcart.Native;

StandardDescriptors.Require();
return await CommandLine.RunAsync(args);
