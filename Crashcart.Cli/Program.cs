return await Crashcart.Cli.Grammar.CommandLine.RunAsync(args);
