using Crashcart.Chaos;

return await CommandLine.Run(args);
