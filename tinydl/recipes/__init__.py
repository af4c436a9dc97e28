"""Layer 9: the books' experiments as data, and what trains them.

`RECIPES` is the list; `find("mlp-mnist")` and `find("mlp-mnist/row06-sgd-0.1")` look things up in
it.
"""

from __future__ import annotations

from difflib import get_close_matches

from ..errors import ConfigError
from ..experiment.card import Recipe, Target, Variant
from ..programs.parts import Split
from .agents import (
    CARTPOLE_A2C,
    CARTPOLE_DQN,
    CARTPOLE_PPO,
    CARTPOLE_REINFORCE,
    CATCH_DQN,
    GRID_DQN,
    MOUNTAIN_CAR_PPO,
    TIC_TAC_TOE_DQN,
    WIDTH_CONTROLLER,
)
from .atienza2020 import CNN_MNIST, MLP_MNIST, RNN_MNIST
from .attacks import ADVERSARIAL_MNIST
from .autoencoders import (
    COLOURING_CIFAR,
    DENOISING_MNIST,
    FASHION_AUTOENCODER,
    FRAUD_AUTOENCODER,
    FRAUD_CONTRACTIVE,
    FRAUD_DEEP,
    FRAUD_DENOISING,
    FRAUD_SPARSE,
)
from .beginnings import IRIS, XOR_MLP
from .bert import BERT_TINY
from .branches import HIERARCHICAL_DIGITS, RNTN_LOGIC
from .capsules import CAPSNET_MNIST
from .convolutional import (
    CNN_CIFAR,
    DENSENET_CIFAR,
    LENET_MNIST,
    MOBILENET_CIFAR,
    RESNET20_CIFAR,
    VGG_CIFAR,
)
from .detection import (
    FASTER_RCNN_SHAPES,
    MASK_RCNN_SHAPES,
    RCNN_SHAPES,
    SSD_BCCD,
    SSD_SHAPES,
    YOLO_SHAPES,
)
from .diffusion import DDPM_FASHION, DDPM_MNIST
from .energy import DBN_DIGITS, RBM_DIGITS, RBM_MNIST
from .estimates import FACE_DETECTOR, KEYPOINTS_FACES, PILOTNET
from .fewshot import MEMORY_OMNIGLOT, PROTOTYPES_OMNIGLOT, SIAMESE_ORL
from .films import AUTOENCODER_FILMS, RBM_FILMS
from .gans import (
    ACGAN_MNIST,
    CGAN_MNIST,
    DCGAN_MNIST,
    GAN_MNIST,
    INFOGAN_MNIST,
    LSGAN_MNIST,
    STACKEDGAN_MNIST,
    WGAN_GP_MNIST,
    WGAN_MNIST,
)
from .glimpses import ATTENTION_TRANSLATED
from .gulli2017 import V1, V2, V3A, V3B, V4, V5, V6
from .information import IIC_MNIST, MINE_LINE, MINE_TWENTY
from .judges import JUDGE_FASHION, JUDGE_MNIST, JUDGE_SEMEION
from .liu2019 import FASHION_DFN, FASHION_MLP_512
from .meta import LEARNED_OPTIMIZER, MAML_SINES, REPTILE_SINES
from .own import MLP_DIGITS, SYNTHETIC_DIGITS
from .patterns import FORECAST_WAVES, OPINIONS, SPELL_NUMBERS, TAG_SENTENCES
from .reviews import IMDB_BILSTM
from .segmentation import FCN8S_SHAPES, PSPNET_SHAPES, UNET_SHAPES
from .sentences import CAPTIONS, CHATBOT, DATES, TATOEBA
from .sewak2018 import MLP_MNIST_512, SOFTMAX_MNIST
from .sounds import PEN_STRINGS, SPOKEN_DIGITS, SPOKEN_STRINGS, WAVENET_SPEECH
from .stocks import GRU_DJIA
from .stories import CLIPS, STORIES
from .texts import BOOK_LSTM_TEXT, BOOK_VANILLA_TEXT, CHAR_LSTM
from .toys import CHAIN_Q, CLIFF_SARSA, GRID_Q, RING_GAN, RING_WGAN
from .transformers import GPT_SHAKESPEARE
from .translations import CYCLEGAN_DIGITS, PIX2PIX_FASHION
from .uncertain import BAYES_MLP, BAYES_SOFTMAX, DROPOUT_MLP
from .variational import BETA_VAE, CVAE_MNIST, VAE_MNIST, VAE_PLANE
from .vision import VIT_CIFAR
from .words import SKIPGRAM_FILMS

RECIPES: dict[str, Recipe] = {
    "mlp-digits": MLP_DIGITS,
    "synthetic-digits": SYNTHETIC_DIGITS,
    "xor-mlp": XOR_MLP,
    "iris-softmax": IRIS,
    "softmax-mnist": SOFTMAX_MNIST,
    "mnist-v1": V1,
    "mnist-v2": V2,
    "mnist-v3a": V3A,
    "mnist-v3b": V3B,
    "mnist-v4": V4,
    "mnist-v5": V5,
    "mnist-v6": V6,
    "mlp-mnist": MLP_MNIST,
    "cnn-mnist": CNN_MNIST,
    "rnn-mnist": RNN_MNIST,
    "mlp-mnist-512": MLP_MNIST_512,
    "fashion-dfn": FASHION_DFN,
    "fashion-mlp-512": FASHION_MLP_512,
    "lenet-mnist": LENET_MNIST,
    "cnn-cifar": CNN_CIFAR,
    "resnet20-cifar": RESNET20_CIFAR,
    "densenet-cifar": DENSENET_CIFAR,
    "mobilenet-cifar": MOBILENET_CIFAR,
    "vgg-cifar": VGG_CIFAR,
    "vit-cifar": VIT_CIFAR,
    "ssd-bccd": SSD_BCCD,
    "ssd-shapes": SSD_SHAPES,
    "yolo-shapes": YOLO_SHAPES,
    "rcnn-shapes": RCNN_SHAPES,
    "faster-rcnn-shapes": FASTER_RCNN_SHAPES,
    "mask-rcnn-shapes": MASK_RCNN_SHAPES,
    "unet-shapes": UNET_SHAPES,
    "fcn8s-shapes": FCN8S_SHAPES,
    "pspnet-shapes": PSPNET_SHAPES,
    "pilotnet-roads": PILOTNET,
    "keypoints-faces": KEYPOINTS_FACES,
    "face-detector": FACE_DETECTOR,
    "rbm-digits": RBM_DIGITS,
    "bayes-softmax": BAYES_SOFTMAX,
    "bayes-mlp": BAYES_MLP,
    "dropout-mlp": DROPOUT_MLP,
    "vae-mnist": VAE_MNIST,
    "vae-plane": VAE_PLANE,
    "cvae-mnist": CVAE_MNIST,
    "beta-vae": BETA_VAE,
    "gan-mnist": GAN_MNIST,
    "dcgan-mnist": DCGAN_MNIST,
    "lsgan-mnist": LSGAN_MNIST,
    "wgan-mnist": WGAN_MNIST,
    "wgan-gp-mnist": WGAN_GP_MNIST,
    "cgan-mnist": CGAN_MNIST,
    "acgan-mnist": ACGAN_MNIST,
    "infogan-mnist": INFOGAN_MNIST,
    "stackedgan-mnist": STACKEDGAN_MNIST,
    "ddpm-mnist": DDPM_MNIST,
    "ddpm-fashion": DDPM_FASHION,
    "pix2pix-fashion": PIX2PIX_FASHION,
    "cyclegan-digits": CYCLEGAN_DIGITS,
    "judge-mnist": JUDGE_MNIST,
    "judge-fashion": JUDGE_FASHION,
    "judge-semeion": JUDGE_SEMEION,
    "rbm-mnist": RBM_MNIST,
    "dbn-digits": DBN_DIGITS,
    "rbm-films": RBM_FILMS,
    "autoencoder-films": AUTOENCODER_FILMS,
    "fraud-autoencoder": FRAUD_AUTOENCODER,
    "fraud-deep": FRAUD_DEEP,
    "fraud-sparse": FRAUD_SPARSE,
    "fraud-denoising": FRAUD_DENOISING,
    "fraud-contractive": FRAUD_CONTRACTIVE,
    "denoising-mnist": DENOISING_MNIST,
    "fashion-autoencoder": FASHION_AUTOENCODER,
    "colouring-cifar": COLOURING_CIFAR,
    "spell-numbers": SPELL_NUMBERS,
    "opinions": OPINIONS,
    "tag-sentences": TAG_SENTENCES,
    "forecast-waves": FORECAST_WAVES,
    "imdb-bilstm": IMDB_BILSTM,
    "bert-tiny": BERT_TINY,
    "gru-djia": GRU_DJIA,
    "char-lstm": CHAR_LSTM,
    "text-vanilla-book": BOOK_VANILLA_TEXT,
    "text-lstm-book": BOOK_LSTM_TEXT,
    "hierarchical-digits": HIERARCHICAL_DIGITS,
    "rntn-logic": RNTN_LOGIC,
    "skipgram-films": SKIPGRAM_FILMS,
    "spoken-digits": SPOKEN_DIGITS,
    "wavenet-speech": WAVENET_SPEECH,
    "pen-strings": PEN_STRINGS,
    "spoken-strings": SPOKEN_STRINGS,
    "dates": DATES,
    "tatoeba-swe": TATOEBA,
    "chatbot": CHATBOT,
    "captions": CAPTIONS,
    "stories": STORIES,
    "clips": CLIPS,
    "maml-sines": MAML_SINES,
    "reptile-sines": REPTILE_SINES,
    "learned-optimizer": LEARNED_OPTIMIZER,
    "mine-line": MINE_LINE,
    "mine-twenty": MINE_TWENTY,
    "iic-mnist": IIC_MNIST,
    "ring-gan": RING_GAN,
    "ring-wgan": RING_WGAN,
    "chain-q": CHAIN_Q,
    "grid-q": GRID_Q,
    "cliff-sarsa": CLIFF_SARSA,
    "grid-dqn": GRID_DQN,
    "cartpole-dqn": CARTPOLE_DQN,
    "cartpole-reinforce": CARTPOLE_REINFORCE,
    "cartpole-a2c": CARTPOLE_A2C,
    "cartpole-ppo": CARTPOLE_PPO,
    "tic-tac-toe-dqn": TIC_TAC_TOE_DQN,
    "mountain-car-ppo": MOUNTAIN_CAR_PPO,
    "width-controller": WIDTH_CONTROLLER,
    "catch-dqn": CATCH_DQN,
    "capsnet-mnist": CAPSNET_MNIST,
    "adversarial-mnist": ADVERSARIAL_MNIST,
    "siamese-orl": SIAMESE_ORL,
    "prototypes-omniglot": PROTOTYPES_OMNIGLOT,
    "memory-omniglot": MEMORY_OMNIGLOT,
    "attention-translated": ATTENTION_TRANSLATED,
    "gpt-shakespeare": GPT_SHAKESPEARE,
}
DEFAULT = "mlp-digits"


def find(name: str) -> Recipe:
    """The recipe `name`, or "recipe/variant"; ConfigError suggests the closest names."""
    base, _, variant = name.partition("/")
    if base not in RECIPES:
        close = get_close_matches(base, RECIPES, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(close)}?" if close else f"there are {len(RECIPES)}"
        raise ConfigError(f"unknown recipe {name!r}; {hint} (`tinydl recipes` lists them all)")
    return RECIPES[base].variant(variant) if variant else RECIPES[base]


__all__ = ["DEFAULT", "RECIPES", "Recipe", "Split", "Target", "Variant", "find"]
