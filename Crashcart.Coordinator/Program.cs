using Crashcart.Coordinator.Hosting;

return await new CoordinatorCommand().Parse(args).InvokeAsync();
