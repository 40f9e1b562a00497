using Crashcart.Benchmarks;

return await CommandLine.Run(args);
