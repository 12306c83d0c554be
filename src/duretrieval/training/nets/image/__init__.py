"""Nets for pictures, and for films as the mean of their frames.

net            `PictureNet`: a backbone between pixels and rows, as the training layer and the engine need it
preprocessing  from pixels to what a backbone was trained on, inside the graph
vision         backbones from transformers: ConvNeXt, ResNet, ViT, DINOv2, EfficientNet and others
vgg            VGG-11 to VGG-19
"""
