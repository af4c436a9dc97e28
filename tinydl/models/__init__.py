"""Layer 8: the books' models, one file per model, by family."""

from .adversarial.acgan import ACGAN
from .adversarial.cgan import ConditionalDCGAN, ConditionalGAN
from .adversarial.cyclegan import CycleGAN
from .adversarial.dcgan import DCGAN
from .adversarial.gan import GAN
from .adversarial.infogan import InfoGAN
from .adversarial.lsgan import LSGAN
from .adversarial.pix2pix import Pix2Pix
from .adversarial.sagan import SAGAN
from .adversarial.stackedgan import StackedGAN
from .adversarial.wgan import WGAN, WGANGP
from .autoencoders.autoencoder import Autoencoder
from .autoencoders.colouring import ColouringAutoencoder
from .autoencoders.contractive import ContractiveAutoencoder
from .autoencoders.convolutional import ConvAutoencoder
from .autoencoders.denoising import DenoisingAutoencoder
from .autoencoders.ratings import RatingsAutoencoder
from .autoencoders.sparse import SparseAutoencoder
from .bayesian.bayes_by_backprop import BayesianMLP, BayesianSoftmax
from .bayesian.mc_dropout import DropoutMLP
from .capsules.capsnet import CapsNet
from .capsules.two_convolutions import TwoConvolutions
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
from .detection.rcnn_machines import SVMRCNN
from .detection.ssd300 import SSD300
from .detection.ssd_small import SmallSSD
from .detection.ssdlite import SSDLite
from .detection.yolo import YOLO, SmallYOLO
from .diffusion.ddpm import DDPM
from .diffusion.noise_unet import NoiseUNet
from .energy.boltzmann import BoltzmannMachine
from .energy.dbn import DBN, DBNClassifier
from .energy.gaussian_rbm import GaussianRBM
from .energy.hopfield import HopfieldNetwork
from .energy.ratings_rbm import MaskedRBM, RatingsRBM
from .energy.rbm import RBM
from .feedforward.first_layers import FirstDense, FlattenDense
from .feedforward.linear_regression import LinearRegression, PolynomialRegression
from .feedforward.mlp import MLP
from .feedforward.neuron import LogisticRegression, SigmoidNeuron
from .feedforward.perceptron import Perceptron
from .feedforward.softmax_regression import SoftmaxRegression
from .feedforward.threshold_unit import ThresholdUnit
from .fewshot.matching import MatchingNet
from .fewshot.memory import MemoryNet
from .fewshot.prototypical import PrototypicalNet
from .fewshot.siamese import ConvSiamese, SiameseNet
from .glimpses.recurrent_attention import RecurrentAttention
from .information.iic import IIC
from .information.mine import MINE, SeparableMINE
from .meta.learned_optimizer import LearnedOptimizer
from .meta.maml import MAML, Reptile
from .mobile.mobilenet_v1 import MobileNetV1
from .mobile.mobilenet_v2 import MobileNetV2
from .recurrent.forecaster import Forecaster
from .recurrent.hierarchical_rnn import FlatRNN, HierarchicalRNN
from .recurrent.row_rnn import RowRNN
from .recurrent.sentiment import SentimentLSTM
from .recurrent.speller import Speller
from .recurrent.stock_gru import StockGRU
from .recurrent.tagger import Tagger
from .recurrent.text import LSTMGenerator, VanillaGenerator
from .reinforcement.actor_critic import ActorCritic
from .reinforcement.double_dqn import DoubleDQN
from .reinforcement.dqn import DQN
from .reinforcement.gaussian_ppo import GaussianPPO
from .reinforcement.ppo import PPO
from .reinforcement.reinforce import REINFORCE
from .reinforcement.reinforce_baseline import ReinforceBaseline
from .segmentation.fcn import FCN8s, FCN16s, FCN32s
from .segmentation.pspnet import PSPNet
from .segmentation.unet import UNet
from .sequence.captioner import Captioner
from .sequence.clip_classifier import ClipClassifier
from .sequence.encoder_decoder import EncoderDecoder
from .sequence.memory_network import MemoryNetwork
from .sound.ctc_labeller import CTCLabeller
from .sound.keyword_cnn import KeywordCNN
from .sound.wavenet import WaveNet
from .style.small_vgg import SmallVGG
from .transformers.bert import BERT
from .transformers.gpt import GPT
from .transformers.llama import Llama
from .transformers.llama2c import load_llama2c
from .transformers.llama2c_tokens import (
    LlamaTokenizer,
    read_llama2c_tokenizer,
    read_llama2c_tokens,
    text_of,
)
from .transformers.vit import VisionTransformer
from .trees.recursive import RecursiveNet, RecursiveTensorNet
from .variational.conv_vae import ConvVAE
from .variational.cvae import CVAE
from .variational.vae import VAE
from .words.embeddings import CBOW, GloVe, SkipGram

__all__ = [
    "ACGAN",
    "BERT",
    "CBOW",
    "CVAE",
    "DBN",
    "DCGAN",
    "DDPM",
    "DQN",
    "GAN",
    "GPT",
    "IIC",
    "LSGAN",
    "MAML",
    "MINE",
    "MLP",
    "PPO",
    "RBM",
    "RCNN",
    "REINFORCE",
    "SAGAN",
    "SSD300",
    "SVMRCNN",
    "VAE",
    "VGG",
    "WGAN",
    "WGANGP",
    "YOLO",
    "ActorCritic",
    "AlexNet",
    "Autoencoder",
    "BayesianMLP",
    "BayesianSoftmax",
    "BoltzmannMachine",
    "BottleneckResNet",
    "CTCLabeller",
    "CapsNet",
    "Captioner",
    "CifarCNN",
    "ClipClassifier",
    "ColouringAutoencoder",
    "ConditionalDCGAN",
    "ConditionalGAN",
    "ContractiveAutoencoder",
    "ConvAutoencoder",
    "ConvSiamese",
    "ConvVAE",
    "CycleGAN",
    "DBNClassifier",
    "DenoisingAutoencoder",
    "DenseNet",
    "DenseNetBC",
    "DenseNetCifar",
    "DigitsCNN",
    "DoubleDQN",
    "DropoutMLP",
    "EncoderDecoder",
    "FCN8s",
    "FCN16s",
    "FCN32s",
    "FaceDetector",
    "FasterRCNN",
    "FirstDense",
    "FlatRNN",
    "FlattenDense",
    "Forecaster",
    "GaussianPPO",
    "GaussianRBM",
    "GloVe",
    "GoogLeNet",
    "HierarchicalRNN",
    "HopfieldNetwork",
    "InfoGAN",
    "KeypointCNN",
    "KeywordCNN",
    "LSTMGenerator",
    "LeNet5",
    "LearnedOptimizer",
    "LinearRegression",
    "Llama",
    "LlamaTokenizer",
    "LogisticRegression",
    "MaskRCNN",
    "MaskedRBM",
    "MatchingNet",
    "MemoryNet",
    "MemoryNetwork",
    "MobileNetV1",
    "MobileNetV2",
    "NoiseUNet",
    "PSPNet",
    "Perceptron",
    "PilotNet",
    "Pix2Pix",
    "PlainCifar",
    "PlainNet",
    "PolynomialRegression",
    "PrototypicalNet",
    "RatingsAutoencoder",
    "RatingsRBM",
    "RecurrentAttention",
    "RecursiveNet",
    "RecursiveTensorNet",
    "ReinforceBaseline",
    "Reptile",
    "ResNet",
    "ResNetCifar",
    "ResNetV2Cifar",
    "RowRNN",
    "SSDLite",
    "SentimentLSTM",
    "SeparableMINE",
    "SiameseNet",
    "SigmoidNeuron",
    "SkipGram",
    "SmallFasterRCNN",
    "SmallSSD",
    "SmallVGG",
    "SmallYOLO",
    "SoftmaxRegression",
    "SparseAutoencoder",
    "Speller",
    "StackedGAN",
    "StockGRU",
    "Tagger",
    "ThresholdUnit",
    "TwoConvolutions",
    "UNet",
    "VanillaGenerator",
    "VisionTransformer",
    "WaveNet",
    "auxiliary_cross_entropy",
    "load_llama2c",
    "read_llama2c_tokenizer",
    "read_llama2c_tokens",
    "text_of",
]
