"""Layer 8: the books' models, one file per model, by family."""

from .convolutional.alexnet import AlexNet
from .convolutional.cifar_cnn import CifarCNN
from .convolutional.densenet import DenseNet, DenseNetBC, DenseNetCifar
from .convolutional.digits_cnn import DigitsCNN
from .convolutional.faces import FaceDetector, KeypointCNN
from .convolutional.googlenet import GoogLeNet, auxiliary_cross_entropy
from .convolutional.lenet import LeNet5
from .convolutional.pilotnet import PilotNet
from .convolutional.resnet import BottleneckResNet, PlainNet, ResNet
from .convolutional.resnet_cifar import PlainCifar, ResNetCifar, ResNetV2Cifar
from .convolutional.vgg import VGG
from .detection.faster_rcnn import FasterRCNN, SmallFasterRCNN
from .detection.mask_rcnn import MaskRCNN
from .detection.rcnn import RCNN
from .detection.ssd300 import SSD300
from .detection.ssd_small import SmallSSD
from .detection.ssdlite import SSDLite
from .detection.yolo import YOLO, SmallYOLO
from .feedforward.first_layers import FirstDense, FlattenDense
from .feedforward.linear_regression import LinearRegression, PolynomialRegression
from .feedforward.mlp import MLP
from .feedforward.neuron import LogisticRegression, SigmoidNeuron
from .feedforward.perceptron import Perceptron
from .feedforward.softmax_regression import SoftmaxRegression
from .feedforward.threshold_unit import ThresholdUnit
from .mobile.mobilenet_v1 import MobileNetV1
from .mobile.mobilenet_v2 import MobileNetV2
from .recurrent.row_rnn import RowRNN
from .segmentation.fcn import FCN8s, FCN16s, FCN32s
from .segmentation.pspnet import PSPNet
from .segmentation.unet import UNet
from .style.small_vgg import SmallVGG

__all__ = [
    "MLP",
    "RCNN",
    "SSD300",
    "VGG",
    "YOLO",
    "AlexNet",
    "BottleneckResNet",
    "CifarCNN",
    "DenseNet",
    "DenseNetBC",
    "DenseNetCifar",
    "DigitsCNN",
    "FCN8s",
    "FCN16s",
    "FCN32s",
    "FaceDetector",
    "FasterRCNN",
    "FirstDense",
    "FlattenDense",
    "GoogLeNet",
    "KeypointCNN",
    "LeNet5",
    "LinearRegression",
    "LogisticRegression",
    "MaskRCNN",
    "MobileNetV1",
    "MobileNetV2",
    "PSPNet",
    "Perceptron",
    "PilotNet",
    "PlainCifar",
    "PlainNet",
    "PolynomialRegression",
    "ResNet",
    "ResNetCifar",
    "ResNetV2Cifar",
    "RowRNN",
    "SSDLite",
    "SigmoidNeuron",
    "SmallFasterRCNN",
    "SmallSSD",
    "SmallVGG",
    "SmallYOLO",
    "SoftmaxRegression",
    "ThresholdUnit",
    "UNet",
    "auxiliary_cross_entropy",
]
