"""Pure rules of employee medical insurance: values in, values out, time as an argument."""
