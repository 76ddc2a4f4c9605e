"""From a `RunSpec` to a network: with `nn.Sequential` ("concise"), from bare tensors ("scratch"), or several seeds in one."""
