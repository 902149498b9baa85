module ha/examples/go

go 1.19
